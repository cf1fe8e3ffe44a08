//! The names in the text of an expression that can be columns, told without knowing any column.

use std::collections::BTreeSet;

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Every word that stands where a column can stand; some keywords among them.
pub(super) fn candidates(sql: &str) -> BTreeSet<String> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().unwrap_or_default();
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let mut names = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let called_or_literal = matches!(tokens.get(at + 1), Some(Token::LParen | Token::SingleQuotedString(_)));
        let type_name = at > 0 && matches!(&tokens[at - 1], Token::Word(w) if w.value.eq_ignore_ascii_case("as"));
        if word.quote_style.is_some() || !(called_or_literal || type_name) {
            names.insert(word.value.clone());
        }
    }
    names
}
