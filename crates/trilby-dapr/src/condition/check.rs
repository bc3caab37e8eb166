//! What a parsed rule may be made of, and where its work is counted.
//!
//! The interpreter has no bound of its own. So that a loop over a long list ends, [`check`] writes
//! a look-up of a name that no rule can contain into each loop, and before each regular
//! expression; [`Envelope`](super::envelope::Envelope) counts them, and stops answering.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators,
};
use cel::{Context, ExecutionError, Value};

use super::{ConditionError, ENVIRONMENT, excerpt, invalid};

/// The deepest expression. Evaluation recurses; this is far from the end of a small thread's stack.
pub(super) const NESTING_MAX: usize = 64;

/// What is looked up, and always true, at the beginning of each turn of a loop.
pub(super) const TURN: &str = "@turn";

/// What is looked up, and always true, before each use of a regular expression.
pub(super) const SEARCH: &str = "@search";

/// CEL's standard functions, but those on times.
pub(super) const CALLABLE: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

/// The macros that are left as calls when their arguments are not what they must be.
const MACROS: &[&str] = &["has", "all", "exists", "exists_one", "map", "filter"];

const TYPES: &[&str] =
    &["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The expression, with its work counted.
pub(super) fn check(mut expression: IdedExpr, text: &str) -> Result<IdedExpr, ConditionError> {
    let mut checker = Checker { text, depth: 0, scope: Vec::new() };
    checker.expression(&mut expression)?;
    Ok(expression)
}

struct Checker<'a> {
    text: &'a str,
    depth: usize,
    /// The variables of the loops around.
    scope: Vec<String>,
}

impl Checker<'_> {
    fn expression(&mut self, node: &mut IdedExpr) -> Result<(), ConditionError> {
        if self.depth == NESTING_MAX {
            return Err(ConditionError::TooDeep { rule: excerpt(self.text) });
        }
        self.depth += 1;
        match &mut node.expr {
            Expr::Literal(_) => {}
            Expr::Ident(name) => self.variable(name)?,
            Expr::Select(select) => {
                self.expression(&mut select.operand)?;
                if select.test && is_path(&select.operand) {
                    ask_no_scalar(node);
                }
            }
            Expr::List(list) => self.all(&mut list.elements)?,
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    let EntryExpr::MapEntry(entry) = &mut entry.expr else {
                        return Err(invalid(1, 1, "a map needs keys"));
                    };
                    self.expression(&mut entry.key)?;
                    self.expression(&mut entry.value)?;
                }
            }
            Expr::Call(call) => {
                self.call(call)?;
                if call.func_name == "matches" {
                    charge(node, SEARCH);
                }
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension)?,
            Expr::Struct(message) => {
                return Err(ConditionError::UnknownFunction {
                    name: format!("{}{{}}", message.type_name),
                });
            }
            Expr::Unspecified => return Err(invalid(1, 1, "a part of it is missing")),
        }
        self.depth -= 1;
        Ok(())
    }

    fn all(&mut self, nodes: &mut [IdedExpr]) -> Result<(), ConditionError> {
        nodes.iter_mut().try_for_each(|node| self.expression(node))
    }

    fn variable(&self, name: &str) -> Result<(), ConditionError> {
        // `type` alone is the type of types: whoever writes it means `event.type`.
        let is_type = TYPES.contains(&name) && name != "type";
        let known = name == "event" || is_type || self.scope.iter().any(|v| v == name);
        if known {
            return Ok(());
        }
        Err(ConditionError::UnknownVariable { name: excerpt(name) })
    }

    fn call(&mut self, call: &mut CallExpr) -> Result<(), ConditionError> {
        let name = call.func_name.as_str();
        if MACROS.contains(&name) {
            let message = format!(
                "`{name}` is not used as in `has(event.data.x)` or \
                                   `event.data.list.{name}(item, item > 1)`"
            );
            return Err(ConditionError::Syntax { line: 1, column: 1, message });
        }
        let is_operator = name.contains(['_', '@']) && !name.starts_with(char::is_alphabetic);
        if !is_operator && !CALLABLE.contains(&name) {
            return Err(ConditionError::UnknownFunction { name: excerpt(name) });
        }
        if name == "matches" {
            pattern(call)?;
        }
        if let Some(target) = &mut call.target {
            self.expression(target)?;
        }
        self.all(&mut call.args)
    }

    fn comprehension(&mut self, node: &mut ComprehensionExpr) -> Result<(), ConditionError> {
        self.expression(&mut node.iter_range)?;
        self.expression(&mut node.accu_init)?;
        let outer = self.scope.len();
        self.scope.extend([node.accu_var.clone(), node.iter_var.clone()]);
        self.scope.extend(node.iter_var2.clone());
        self.expression(&mut node.loop_cond)?;
        self.expression(&mut node.loop_step)?;
        self.expression(&mut node.result)?;
        self.scope.truncate(outer);
        count_turns(node);
        Ok(())
    }
}

/// Whether it is a name, or members of one: it may then stand twice, and be evaluated twice.
fn is_path(node: &IdedExpr) -> bool {
    match &node.expr {
        Expr::Ident(_) => true,
        Expr::Select(select) => !select.test && is_path(&select.operand),
        _ => false,
    }
}

/// `has(x.y)` becomes `type(x) in [map, list] ? has(x.y) : false`: in cel-go a text or number has
/// no members, in the interpreter asking it is an error. For both it is one to ask a list.
fn ask_no_scalar(node: &mut IdedExpr) {
    let Expr::Select(select) = &node.expr else {
        return;
    };
    let of = |expr| IdedExpr { id: node.id, expr };
    let call = |name: &str, args| {
        of(Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }))
    };
    let found = call("type", vec![(*select.operand).clone()]);
    let types = ["map", "list"].map(|name| of(Expr::Ident(name.to_owned())));
    let has_members = call(operators::IN, vec![found, of(Expr::List(ListExpr::new(types.into())))]);
    let no = of(Expr::Literal(LiteralValue::Boolean(false.into())));
    *node = call(operators::CONDITIONAL, vec![has_members, node.clone(), no]);
}

/// Puts [`TURN`] where the interpreter still recognises the loops of `map` and `filter`, which it
/// runs without copying the list that grows: it must find their loop's condition as it was.
fn count_turns(node: &mut ComprehensionExpr) {
    if !matches!(node.loop_cond.expr, Expr::Literal(_)) {
        return charge(&mut node.loop_cond, TURN);
    }
    if let Expr::Call(step) = &mut node.loop_step.expr
        && step.func_name == operators::CONDITIONAL
        && let Some(guard) = step.args.first_mut()
    {
        return charge(guard, TURN);
    }
    let unchanged = Expr::Ident(node.accu_var.clone());
    conditional(&mut node.loop_step, TURN, unchanged);
}

/// `node` becomes `name ? node : false`, for a node that is true or false.
fn charge(node: &mut IdedExpr, name: &str) {
    conditional(node, name, Expr::Literal(LiteralValue::Boolean(false.into())));
}

fn conditional(node: &mut IdedExpr, name: &str, otherwise: Expr) {
    let id = node.id;
    let checked = std::mem::take(node);
    let of = |expr| IdedExpr { id, expr };
    let call = CallExpr {
        func_name: operators::CONDITIONAL.to_owned(),
        target: None,
        args: vec![of(Expr::Ident(name.to_owned())), checked, of(otherwise)],
    };
    *node = of(Expr::Call(call));
}

/// Refuses a pattern that is written out and is no regular expression, by trying it.
fn pattern(call: &CallExpr) -> Result<(), ConditionError> {
    let Some(pattern) = call.args.last() else {
        return Ok(());
    };
    let Expr::Literal(LiteralValue::String(text)) = &pattern.expr else {
        return Ok(());
    };
    let trial = CallExpr {
        func_name: call.func_name.clone(),
        target: None,
        args: vec![pattern.clone(), pattern.clone()],
    };
    let trial = IdedExpr { id: pattern.id, expr: Expr::Call(trial) };
    match Value::resolve(&trial, &Context::with_env(ENVIRONMENT.clone())) {
        Err(ExecutionError::FunctionError { .. }) => {
            let message =
                format!("`{}` is no regular expression, or too large a one", excerpt(text.inner()));
            Err(ConditionError::Syntax { line: 1, column: 1, message })
        }
        _ => Ok(()),
    }
}
