use super::Definition;

pub(super) static FUNCTIONS: &[Definition] = &[];
