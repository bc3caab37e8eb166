//! `trilby`: serves WebAssembly modules over HTTP, with Dapr's building blocks beside them.
//!
//! The life of `trilby serve`, module by module: [`cli`] parses the flags; [`prepare`] loads the
//! manifest, lets [`build`] make the modules that are missing or old and [`fetch`] bring those from
//! registries, has [`compile`] compile them, asks them for [`subroutes`], and [`link`]s them;
//! [`dapr`] chooses between a sidecar and the embedded runtime; [`table`] joins it all; [`serve`]
//! binds the port, starts [`deliveries`] of what is [`wanted`], over [`subscriptions`] of its own or
//! not, and waits for the end, with [`reload`]s meanwhile;
//! [`banner`] tells what is served.

mod admissions;
mod banner;
mod build;
mod check;
mod cli;
mod compile;
mod dapr;
mod dapr_api;
mod deliveries;
mod failure;
mod fetch;
mod guest_log;
mod link;
mod logging;
mod migrate;
mod prepare;
mod reload;
mod routes;
mod serve;
mod settings;
mod subroutes;
mod subscriptions;
mod table;
mod wanted;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logging::start(&cli);
    let done = match cli.command {
        cli::Command::Serve(options) => serve::run(*options),
        cli::Command::Check(options) => check::run(&options),
        cli::Command::Routes(options) => routes::run(&options),
        cli::Command::Build(options) => build::only(&options),
        cli::Command::Schema => routes::schema(),
        cli::Command::Migrate(options) => migrate::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
