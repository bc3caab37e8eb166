//! `trilby`: serves WebAssembly modules over HTTP, with Dapr's building blocks beside them.
//!
//! The life of `trilby serve`, module by module: [`cli`] parses the flags; the manifest is loaded;
//! [`build`] makes the modules that are missing or old; [`load`] compiles and links them;
//! [`dapr`] chooses between a sidecar and the embedded runtime; [`serve`] binds the port, starts
//! deliveries and waits for the end; [`banner`] tells what is served.

mod banner;
mod build;
mod cli;
mod dapr;
mod failure;
mod load;
mod logging;
mod serve;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logging::start(&cli);
    let done = match cli.command {
        cli::Command::Serve(options) => serve::run(options),
        cli::Command::Build(options) => build::only(&options.path),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
