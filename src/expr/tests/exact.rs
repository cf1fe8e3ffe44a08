//! The pure arithmetic of decimals against schoolbook arithmetic on digits.

use std::cmp::Ordering;

use proptest::prelude::*;

use crate::expr::decimal;

const MAX: i128 = 10i128.pow(38) - 1;

/// Digits, least first, without zeros at the end.
fn digits(v: u128) -> Vec<u8> {
    v.to_string().bytes().rev().map(|b| b - b'0').collect()
}

fn trimmed(mut digits: Vec<u8>) -> Vec<u8> {
    while digits.last() == Some(&0) {
        digits.pop();
    }
    digits
}

fn product(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut cells = vec![0u32; a.len() + b.len() + 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            cells[i + j] += u32::from(*x) * u32::from(*y);
        }
    }
    let mut carry = 0;
    let digits = cells.into_iter().map(|cell| {
        let cell = cell + carry;
        carry = cell / 10;
        u8::try_from(cell % 10).unwrap()
    });
    trimmed(digits.collect())
}

fn order(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

fn wide() -> impl Strategy<Value = i128> {
    prop_oneof![-MAX..=MAX, Just(MAX), Just(-MAX), Just(0), -1000i128..1000, (MAX - 1000)..=MAX]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// q = round(n * 10^shift / d) means (2q - 1) d <= 2 n * 10^shift < (2q + 1) d, all without signs.
    #[test]
    fn a_quotient_is_the_nearest(n in wide(), d in wide(), shift in 0u32..=40) {
        let Some(q) = decimal::divide(n, d, shift) else {
            // by zero, or beyond 38 digits
            let limit = [digits(MAX.unsigned_abs()), vec![]].concat();
            let shifted = trimmed([vec![0; shift as usize], digits(n.unsigned_abs())].concat());
            prop_assert!(d == 0 || order(&shifted, &product(&limit, &trimmed(digits(d.unsigned_abs())))).is_ge());
            return Ok(());
        };
        let twice_n = product(&trimmed([vec![0; shift as usize], digits(n.unsigned_abs())].concat()), &[2]);
        let d_digits = trimmed(digits(d.unsigned_abs()));
        let q2 = q.unsigned_abs() * 2;
        prop_assert!(order(&twice_n, &product(&trimmed(digits(q2 + 1)), &d_digits)).is_lt());
        if q != 0 {
            prop_assert!(order(&product(&trimmed(digits(q2 - 1)), &d_digits), &twice_n).is_le());
            prop_assert_eq!(q < 0, (n < 0) != (d < 0));
        }
    }

    #[test]
    fn text_and_back(v in wide(), scale in 0u8..=38) {
        prop_assert_eq!(decimal::parse(&decimal::format(v, scale), scale), Some(v));
        prop_assert_eq!(decimal::parse(&format!(" {}e-{scale} ", v), scale), Some(v));
        prop_assert_eq!(decimal::rescale(v, scale, scale), Some(v));
    }

    #[test]
    fn rounding_takes_the_nearest_and_halves_away_from_zero(v in wide(), drop in 0u32..=38) {
        let text = v.unsigned_abs().to_string();
        let text = format!("{text:0>40}");
        let (kept, cut) = text.split_at(40 - drop as usize);
        let up = cut.as_bytes().first().is_some_and(|b| *b >= b'5');
        let wanted = kept.parse::<i128>().unwrap() + i128::from(up);
        prop_assert_eq!(decimal::round(v, drop), v.signum() * wanted);
    }

    #[test]
    fn the_order_of_decimals_is_that_of_their_digits(a in wide(), b in wide(), s1 in 0u8..=38, s2 in 0u8..=38) {
        let shifted = |v: i128, scale: u8| {
            let digits = trimmed([vec![0; usize::from(38 - scale)], digits(v.unsigned_abs())].concat());
            (v.signum(), digits)
        };
        let ((x, a_digits), (y, b_digits)) = (shifted(a, s1), shifted(b, s2));
        let within = if x < 0 { order(&b_digits, &a_digits) } else { order(&a_digits, &b_digits) };
        let wanted = x.cmp(&y).then(within);
        prop_assert_eq!(decimal::compare(a, s1, b, s2), wanted);
    }
}
