//! Bindings: files (`bindings.localstorage`, output) and schedules (`bindings.cron`, input).

mod cron;
mod localstorage;

pub(crate) use cron::{Cron, Schedule, headers as cron_headers};
pub(crate) use localstorage::LocalStorage;
