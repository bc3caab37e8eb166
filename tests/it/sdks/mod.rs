//! Dapr's official SDKs, unmodified: one program for each (`tests/sdks`), which tries every
//! building block that its SDK has. It must say the same against a real daprd and against the
//! Dapr API that `trilby serve` opens.

mod desk;
mod programs;
mod snippets;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::timeout;
use trilby_testkit::Process;

use desk::{Desk, Side};
use programs::Sdk;

/// What every SDK can do.
const COMMON: [&str; 8] = [
    "state",
    "state_conflicts",
    "publish_and_subscribe",
    "binding",
    "secret",
    "configuration",
    "invoke",
    "metadata",
];

/// Runs the program of an SDK to its end, and compares the checks that it has passed.
async fn passes(sdk: Sdk, side: Side, more: &[&str]) -> Result<()> {
    if side.is_left_out() {
        return Ok(());
    }
    let Some(mut command) = sdk.program() else { return Ok(()) };
    let mut desk = Desk::prepare(side, sdk).await?;
    command.envs(desk.variables());
    if !sdk.is_app() {
        desk.open().await?;
    }
    let mut program = Process::start(sdk.name(), &mut command)?;
    if sdk.is_app() {
        desk.open().await.with_context(|| program.output())?;
    }
    let told = program.line("waiting for blue").await;
    told.with_context(|| desk.output())?;
    change_color(&desk, &mut program).await?;
    let ended = program.ended().await;
    let output = program.output();
    let status = ended.with_context(|| output.clone())?;
    ensure!(status.success(), "{status}:\n{output}\n{}", desk.output());
    let mut passed: Vec<&str> = output.lines().filter_map(|l| l.strip_prefix("ok ")).collect();
    let mut expected = [&COMMON, more].concat();
    passed.sort_unstable();
    expected.sort_unstable();
    ensure!(passed == expected, "{passed:?} instead of {expected:?}:\n{output}");
    Ok(())
}

/// Changes the watched item until the program has seen it blue. A change before the watch has begun
/// is not seen, and not every SDK tells when it has.
async fn change_color(desk: &Desk, program: &mut Process) -> Result<()> {
    for color in ["blue", "green"].into_iter().cycle().take(10) {
        desk.set_color(color).await?;
        let seen = timeout(Duration::from_secs(3), program.line("ok configuration")).await;
        if matches!(seen, Ok(Ok(_))) || program.has_ended() {
            break;
        }
    }
    Ok(())
}

/// Declares the tests of an SDK, with the checks that it has beside the [`COMMON`] ones.
macro_rules! sdk {
    ($name:ident, $sdk:ident, $more:expr) => {
        mod $name {
            use super::{Sdk, Side, passes};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn with_daprd() -> anyhow::Result<()> {
                passes(Sdk::$sdk, Side::Daprd, &$more).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() -> anyhow::Result<()> {
                passes(Sdk::$sdk, Side::Embedded, &$more).await
            }
        }
    };
}

sdk!(
    python,
    Python,
    [
        "state_bulk",
        "state_transaction",
        "subscribe_again",
        "lock",
        "jobs",
        "crypto",
        "conversation"
    ]
);
sdk!(go, Go, ["state_bulk", "state_transaction", "subscribe_again", "lock", "jobs", "crypto"]);
sdk!(rust, Rust, ["state_bulk", "subscribe_again", "jobs", "crypto", "conversation"]);
sdk!(js, Js, ["state_bulk", "state_transaction", "invoked", "lock", "crypto", "over_grpc"]);
