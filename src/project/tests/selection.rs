use super::*;
use crate::project::select;

fn chosen(selectors: &[&str]) -> Result<Vec<String>, Vec<String>> {
    let project = good(&[("layers/gold/more.yaml", "from: gold.sums\nsteps:\n  - union: gold.sums\n")]);
    let selectors: Vec<String> = selectors.iter().map(|selector| (*selector).to_owned()).collect();
    Ok(select(&project, &selectors)?.iter().map(ToString::to_string).collect())
}

#[test]
fn selectors_choose_as_in_dbt() {
    let cases: [(&[&str], &[&str]); 9] = [
        (&[], &["bronze.orders", "silver.big", "silver.orders", "gold.more", "gold.sums"]),
        (&["silver.big"], &["silver.big"]),
        (&["silver"], &["silver.big", "silver.orders"]),
        (&["+gold.more"], &["bronze.orders", "silver.orders", "gold.more", "gold.sums"]),
        (&["silver.big+"], &["silver.big"]),
        (&["+gold.sums+"], &["bronze.orders", "silver.orders", "gold.more", "gold.sums"]),
        (&["bronze+"], &["bronze.orders", "silver.big", "silver.orders", "gold.more", "gold.sums"]),
        (&["gold.*", "silver.b?g"], &["silver.big", "gold.more", "gold.sums"]),
        (&["*.orders+"], &["bronze.orders", "silver.big", "silver.orders", "gold.more", "gold.sums"]),
    ];
    for (selectors, expected) in cases {
        assert_eq!(chosen(selectors).unwrap(), expected, "{selectors:?}");
    }
}

#[test]
fn each_selector_that_names_nothing_is_told() {
    assert_eq!(
        chosen(&["silver.ordrs", "orders", "silver", "+x.*", "1+nothing", "glod"]).unwrap_err(),
        [
            "there is no table `silver.ordrs`; did you mean `silver.orders`?",
            "there is no table `orders`; did you mean `bronze.orders`?",
            "no table's name matches `x.*`",
            "there is no table `1+nothing`; a layer, or a layer, a dot and a name, e.g. `silver.orders`",
            "there is no table `glod`; did you mean `gold`?",
        ]
    );
}
