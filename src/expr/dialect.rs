//! Our SQL: identifiers in double quotes or backquotes, no backslash escapes, `div` as an operator, and
//! `first(x by y)`.

use sqlparser::ast::{BinaryOperator, Expr};
use sqlparser::dialect::{Dialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer, Word};

use super::ExprError;

/// More than anyone writes by hand. Each may be a level of the parser's tree, which is walked and dropped recursively.
const MAX_OPERATORS: usize = 500;

#[derive(Debug)]
struct OurSql;

impl Dialect for OurSql {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        matches!(ch, '"' | '`')
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_comma_separated_trim(&self) -> bool {
        true
    }

    // Spark's and MySQL's dialects take all that follows for the divisor: 7 div 2 + 1 is not 7 div (2 + 1)
    fn parse_infix(&self, parser: &mut Parser, expr: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        if !parser.parse_keyword(Keyword::DIV) {
            return None;
        }
        let left = Box::new(expr.clone());
        Some(parser.parse_subexpr(precedence).map(|right| Expr::BinaryOp {
            left,
            op: BinaryOperator::MyIntegerDivide,
            right: Box::new(right),
        }))
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Word(word) if word.keyword == Keyword::DIV && word.quote_style.is_none() => {
                Some(Ok(self.prec_value(Precedence::MulDivModOp)))
            }
            _ => None,
        }
    }
}

/// Reads one expression, and nothing after it.
pub(super) fn parse(sql: &str) -> Result<Expr, ExprError> {
    let tokens =
        Tokenizer::new(&OurSql, sql).tokenize_with_location().map_err(|e| fault(sql, e.message, Some(e.location)))?;
    if tokens.iter().filter(|t| is_operator(&t.token)).count() > MAX_OPERATORS {
        return Err(fault(sql, format!("the expression has more than {MAX_OPERATORS} operators"), None));
    }
    if tokens.iter().all(|t| matches!(t.token, Token::Whitespace(_) | Token::EOF)) {
        return Err(fault(sql, "the expression is empty".to_owned(), None));
    }
    let mut parser = Parser::new(&OurSql).with_tokens_with_locations(order_by(tokens));
    let expr = parser.parse_expr().map_err(|e| syntax(sql, e))?;
    let rest = parser.peek_token();
    match rest.token {
        Token::EOF => Ok(expr),
        token => Err(fault(sql, format!("unexpected `{token}` after the expression"), Some(rest.span.start))),
    }
}

/// `by` within `first(x by y)` becomes the ORDER BY that the parser knows.
fn order_by(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // for each open parenthesis: is it that of first or last, still without its `by`?
    let mut open = Vec::new();
    for token in tokens {
        let before = out.iter().rev().map(|t| &t.token).find(|t| !matches!(t, Token::Whitespace(_)));
        match &token.token {
            Token::LParen => open.push(before.is_some_and(|t| is_word(t, &["first", "last"]))),
            Token::RParen => {
                open.pop();
            }
            by if open.last() == Some(&true) && is_word(by, &["by"]) => {
                let already = before.is_some_and(|t| is_word(t, &["order"]));
                if already || before.is_some_and(ends_operand) {
                    if let Some(open) = open.last_mut() {
                        *open = false;
                    }
                    if !already {
                        out.push(keyword("ORDER", Keyword::ORDER, token.span));
                    }
                    out.push(keyword("BY", Keyword::BY, token.span));
                    continue;
                }
            }
            _ => {}
        }
        out.push(token);
    }
    out
}

/// All that can make the tree deeper, but for parentheses, which the parser counts itself.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Whitespace(_) | Token::Comma | Token::Period | Token::LParen | Token::RParen => false,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::EOF => false,
        Token::Word(word) => !matches!(word.keyword, Keyword::NoKeyword | Keyword::NULL),
        _ => true,
    }
}

fn is_word(token: &Token, words: &[&str]) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && words.iter().any(|word| w.value.eq_ignore_ascii_case(word)))
}

fn ends_operand(token: &Token) -> bool {
    matches!(token, Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen | Token::RBracket)
}

fn keyword(value: &str, keyword: Keyword, span: Span) -> TokenWithSpan {
    TokenWithSpan { token: Token::Word(Word { value: value.to_owned(), quote_style: None, keyword }), span }
}

fn syntax(sql: &str, error: ParserError) -> ExprError {
    match error {
        ParserError::RecursionLimitExceeded => fault(sql, "the expression is nested too deeply".to_owned(), None),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            let (message, at) = take_location(&message);
            if message.ends_with("found: EOF") {
                return ExprError {
                    offset: sql.chars().count(),
                    ..fault(sql, "the expression is not complete".to_owned(), None)
                };
            }
            let message = message.trim_start_matches("Expected: ").replacen(", found:", " expected, found", 1);
            fault(sql, format!("syntax: {message}"), at)
        }
    }
}

/// The parser appends ` at Line: 1, Column: 5` to its messages.
fn take_location(message: &str) -> (&str, Option<Location>) {
    let found = message.rsplit_once(" at Line: ").and_then(|(text, at)| {
        let (line, column) = at.split_once(", Column: ")?;
        Some((text, Location { line: line.parse().ok()?, column: column.trim().parse().ok()? }))
    });
    found.map_or((message, None), |(text, at)| (text, Some(at)))
}

fn fault(sql: &str, message: String, at: Option<Location>) -> ExprError {
    ExprError { message, offset: at.map_or(0, |at| offset(sql, at)), hint: None }
}

/// 0-based, in characters; lines and columns of the parser are 1-based.
pub(super) fn offset(sql: &str, at: Location) -> usize {
    let line = usize::try_from(at.line).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(at.column).unwrap_or(1).saturating_sub(1);
    let before: usize = sql.split_inclusive('\n').take(line).map(|l| l.chars().count()).sum();
    (before + column).min(sql.chars().count())
}
