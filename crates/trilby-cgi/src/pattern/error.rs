//! What can be wrong with a route's path.

/// Why a text is not a route's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The text does not begin with a slash, or is empty.
    #[error("a path begins with `/`; write `/{}`", .path.escape_debug())]
    NoSlash {
        /// The text.
        path: String,
    },
    /// The text has a star, which other routers take for a wildcard.
    #[error(
        "`*` matches nothing special; to match all paths below one, end it in `/...`, and for \
         one segment write a parameter such as `:id`"
    )]
    Star,
    /// The text has a query or a fragment, which routes do not look at.
    #[error("a route has a path only; leave out `{mark}` and what follows it")]
    NotPath {
        /// `?` or `#`.
        mark: char,
    },
    /// A character that clients only send percent-encoded, so it would never match.
    #[error("clients send {character:?} in a path as `{encoded}`; write that")]
    NotEncoded {
        /// The character.
        character: char,
        /// How it is sent.
        encoded: String,
    },
    /// Three dots that do not make a prefix.
    #[error("`...` stands at the end, after a `/`, and nowhere else, as in `/files/...`")]
    Dots,
    /// A segment begins with `:` but has no proper name.
    #[error(
        "`:{name}` is not a parameter; write a letter or `_`, then letters, digits, `_` and `-`, \
         as in `:id`"
    )]
    BadParameter {
        /// What follows the `:`.
        name: String,
    },
    /// Two parameters would be one and the same variable.
    #[error(
        "the parameters `:{first}` and `:{second}` have one variable, `PATH_PARAM_{variable}`; \
         give each a name of its own"
    )]
    SameParameter {
        /// The first parameter.
        first: String,
        /// The second parameter.
        second: String,
        /// What both names are in a variable.
        variable: String,
    },
    /// The path has more segments than a lookup may have to walk.
    #[error("the path has more than {segments_max} segments; write a shorter one")]
    TooDeep {
        /// The limit.
        segments_max: usize,
    },
}
