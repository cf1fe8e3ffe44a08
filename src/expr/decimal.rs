//! Exact decimals as `i128` with a scale: `12.30` at scale 2 is 1230. Pure; `None` is what cannot be had exactly.

/// The most digits that a decimal can have.
pub(super) const MAX_PRECISION: u8 = 38;

const POWERS_OF_TEN: [i128; MAX_PRECISION as usize + 1] = {
    let mut powers = [1; MAX_PRECISION as usize + 1];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = 10 * powers[n - 1];
        n += 1;
    }
    powers
};

/// 10 to the power of `n`, for `n` up to 38.
pub(super) fn power_of_ten(n: u32) -> Option<i128> {
    POWERS_OF_TEN.get(n as usize).copied()
}

/// Whether it has at most `precision` digits.
pub(super) fn fits(value: i128, precision: u8) -> bool {
    power_of_ten(u32::from(precision)).is_none_or(|limit| value.unsigned_abs() < limit.unsigned_abs())
}

/// The same number at another scale, if no digit is lost.
pub(super) fn rescale(value: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return value.checked_mul(power_of_ten(u32::from(to - from))?);
    }
    let divisor = power_of_ten(u32::from(from - to))?;
    (value % divisor == 0).then_some(value / divisor)
}

/// The number at a smaller scale, half away from zero.
pub(super) fn round(value: i128, drop: u32) -> i128 {
    let Some(divisor) = power_of_ten(drop) else { return 0 };
    let (quotient, rest) = (value / divisor, value % divisor);
    // 2 * |rest| may not fit, |divisor| - |rest| does
    if rest.abs() >= divisor - rest.abs() && rest != 0 { quotient + value.signum() } else { quotient }
}

/// The greatest number at a smaller scale that is not above it.
pub(super) fn floor(value: i128, drop: u32) -> i128 {
    power_of_ten(drop).map_or(if value < 0 { -1 } else { 0 }, |divisor| value.div_euclid(divisor))
}

/// `numerator * 10^shift / denominator`, half away from zero; `None` by zero and beyond 38 digits.
pub(super) fn divide(numerator: i128, denominator: i128, shift: u32) -> Option<i128> {
    if denominator == 0 {
        return None;
    }
    let negative = (numerator < 0) != (denominator < 0);
    let (n, d) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let (mut quotient, mut rest) = (n / d, n % d);
    for _ in 0..shift {
        let (digit, next) = times_ten(rest, d);
        quotient = quotient.checked_mul(10)?.checked_add(digit)?;
        rest = next;
    }
    if rest >= d - rest {
        quotient = quotient.checked_add(1)?;
    }
    let quotient = i128::try_from(quotient).ok().filter(|q| fits(*q, MAX_PRECISION))?;
    Some(if negative { -quotient } else { quotient })
}

/// Quotient and rest of `10 * rest / d`, where `rest < d <= 10^38`: by doubling, since ten times may not fit 128 bits.
fn times_ten(rest: u128, d: u128) -> (u128, u128) {
    if let Some(ten) = rest.checked_mul(10) {
        return (ten / d, ten % d);
    }
    let reduce = |(q, r): (u128, u128)| if r >= d { (q + 1, r - d) } else { (q, r) };
    let twice = |(q, r): (u128, u128)| reduce((q * 2, r * 2));
    let four = twice(twice((0, rest)));
    twice(reduce((four.0, four.1 + rest)))
}

/// Reads `[+-]digits[.digits][e[+-]digits]` at `scale`, if no digit is lost. Surrounding blanks are ignored.
pub(super) fn parse(text: &str, scale: u8) -> Option<i128> {
    parse_short(text, scale).or_else(|| parse_any(text, scale))
}

/// Nearly all numbers in files: at most 18 digits, no exponent, no place that is too many. `None`: it is not that simple.
fn parse_short(text: &str, scale: u8) -> Option<i128> {
    let (negative, digits) = signed(text.trim_ascii());
    if digits.len() > 18 {
        return None;
    }
    let (mut value, mut point) = (0u64, None);
    for (place, byte) in digits.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(place),
            _ => return None,
        }
    }
    let places = point.map_or(0, |point| digits.len() - 1 - point) as u8;
    if digits.len() == usize::from(point.is_some()) || places > scale {
        return None;
    }
    let value = rescale(i128::from(value), places, scale)?;
    Some(if negative { -value } else { value })
}

fn parse_any(text: &str, scale: u8) -> Option<i128> {
    let number = Number::read(text)?;
    let exponent = number.exponent.checked_add(i64::from(scale))?;
    let mut value: i128 = 0;
    // digits[i] stands for 10^(len - 1 - i + exponent)
    let length = i64::try_from(number.digits.len()).ok()?;
    for (place, digit) in (0i64..).zip(&number.digits) {
        if length - 1 - place + exponent < 0 {
            if *digit != 0 {
                return None;
            }
            continue;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(*digit))?;
    }
    if value != 0 && exponent > 0 {
        value = value.checked_mul(power_of_ten(u32::try_from(exponent).ok()?)?)?;
    }
    Some(if number.negative { -value } else { value })
}

/// Whether a minus stands before it, and the rest.
fn signed(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// A decimal numeral, taken apart: digits * 10^exponent.
pub(super) struct Number {
    pub(super) negative: bool,
    pub(super) digits: Vec<u8>,
    pub(super) exponent: i64,
}

impl Number {
    /// Leading zeros of the digits are dropped.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (negative, text) = signed(text.trim_ascii());
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty()
            || !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').skip_while(|d| *d == 0).collect();
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        Some(Number { negative, digits, exponent })
    }
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // nine digits are beyond any number here, and cannot overflow
    (!digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// `1230` at scale 2 is `12.30`.
pub(super) fn format(value: i128, scale: u8) -> String {
    let (sign, digits) = (if value < 0 { "-" } else { "" }, value.unsigned_abs().to_string());
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let width = usize::from(scale) + 1;
    let digits = format!("{digits:0>width$}");
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    format!("{sign}{whole}.{fraction}")
}

/// The nearest double.
pub(super) fn to_double(value: i128, scale: u8) -> f64 {
    // both operands are exact, so the quotient is the nearest double
    if value.unsigned_abs() < 1 << 53 && scale <= 22 {
        #[allow(clippy::cast_precision_loss)]
        return value as f64 / 10f64.powi(i32::from(scale));
    }
    format(value, scale).parse().unwrap_or(f64::NAN)
}

/// The order of two numbers at any scales, exactly.
pub(super) fn compare(a: i128, a_scale: u8, b: i128, b_scale: u8) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    if a_scale > b_scale {
        return compare(b, b_scale, a, a_scale).reverse();
    }
    match rescale(a, a_scale, b_scale) {
        Some(a) => a.cmp(&b),
        // too large for 128 bits, so larger than any b
        None if a > 0 => Ordering::Greater,
        None => Ordering::Less,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_long_one(text in "[-+ ]?[0-9]{0,20}[.]?[0-9]{0,5}[e.x]?[0-9]{0,2}", scale in 0u8..=20) {
            if let Some(value) = parse_short(&text, scale) {
                prop_assert_eq!(Some(value), parse_any(&text, scale));
            }
        }
    }
}
