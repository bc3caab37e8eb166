//! `trilby serve`, from the manifest to the end of the drain.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use trilby_dapr::Inbound;
use trilby_dapr_api::Api;
use trilby_manifest::{App, Route, Trigger};
use trilby_outbound::Outbound;
use trilby_server::{Drain, ListenSettings, Served, Service, ServiceHandle, ServiceSettings, Tls};

use crate::admissions::Admissions;
use crate::cli::ServeOptions;
use crate::dapr::{self, Dapr};
use crate::deliveries::Groups;
use crate::failure::Failure;
use crate::guest_log::GuestLog;
use crate::prepare::{Prepared, Workshop};
use crate::reload::Reloads;
use crate::table::{self, Shared};
use crate::watch::Watch;
use crate::{banner, dapr_api, settings};

/// How long the last lines of guests may take to their files.
const LOG_WITHIN: Duration = Duration::from_secs(1);

/// Serves until a signal comes.
pub(crate) fn run(options: ServeOptions) -> Result<(), Failure> {
    let started = Instant::now();
    let address = settings::address(&options)?;
    let tls = tls(&options)?;
    let runtime = settings::runtime()?;
    let served = runtime.block_on(async {
        // First of all: a signal that nobody listens for ends the process at once, or, if it is the
        // first of a container, is lost.
        let (stopped, second, hangup) = signals().context("cannot listen for signals")?;
        let mut stopped = Box::pin(stopped);
        let mut workshop = Workshop::new(&options.app);
        let handle = Handle::current();
        let work = tokio::task::spawn_blocking(move || {
            let prepared = workshop.prepare(&handle);
            (workshop, prepared)
        });
        let (workshop, prepared) = tokio::select! {
            done = work => done.context("the application cannot be prepared")?,
            () = &mut stopped => return Ok(()),
        };
        let signals = (stopped, second, hangup);
        serve((prepared?, workshop), options, (address, tls, started), signals).await
    });
    // What is still blocked in the system after the drain must not hold up the exit.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(
    (prepared, workshop): (Prepared, Workshop),
    options: ServeOptions,
    (address, tls, started): (SocketAddr, Option<Arc<Tls>>, Instant),
    (stopped, second, hangup): (impl Future<Output = ()>, impl Future<Output = ()>, Signal),
) -> Result<(), Failure> {
    let app = prepared.app();
    let dapr = dapr::open(&prepared.loaded, &options.dapr)?;
    let shared = Shared {
        blocks: dapr.blocks(),
        outbound: Outbound::new().map_err(|error| Failure::Other(error.into()))?,
        admissions: Admissions::default(),
        log: options.log_dir.as_deref().map(GuestLog::start).transpose()?,
    };
    let served = served(&prepared, &shared, &options)?;
    let listener =
        TcpListener::bind(address).await.map_err(|error| cannot_listen(address, error))?;
    let local = listener.local_addr().context("the listener has no address")?;
    let deliveries_over_http = matches!(dapr, Dapr::Sidecar(_));
    let app_token = std::env::var("APP_API_TOKEN").ok().filter(|token| !token.is_empty());
    if deliveries_over_http && app_token.is_none() {
        warn_of_strangers(app, local);
    }
    let service = Arc::new(Service::new(ServiceSettings {
        served,
        deliveries_over_http,
        app_token,
        server_name: local.ip().to_string(),
        show_reasons: options.show_errors,
        ready: dapr.ready(),
    }));
    let inbound: Arc<dyn Inbound> = Arc::new(ServiceHandle(Arc::clone(&service)));
    dapr.attach(&inbound);
    let mut groups = Groups::new(dapr.bringer(), Arc::clone(&inbound));
    groups.follow(&prepared.wanted)?;
    let shutdown = Arc::new(Notify::new());
    let api = dapr_api::open(app, &dapr, &options.api, &inbound, Arc::clone(&shutdown)).await?;
    let stopped = async {
        tokio::select! {
            () = stopped => {}
            () = shutdown.notified() => {}
        }
    };
    // Whoever has seen the banner may change a file at once.
    let watch = options.watch.then(|| Watch::of(&options.app, app));
    let url = format!("{}://{local}", if tls.is_some() { "https" } else { "http" });
    let counts = (prepared.programs.modules, prepared.programs.cached);
    banner::print(app, (&dapr, api.as_ref()), &url, started.elapsed(), counts);
    let settings = ListenSettings { limits: app.server.limits.clone(), tls };
    let drain = Drain { settle: options.drain_settle, within: options.drain_timeout };
    let reloads = Reloads {
        options,
        workshop: Some(workshop),
        dapr,
        shared,
        service,
        groups,
        _inbound: inbound,
        watch,
        app: app.clone(),
        wanted: prepared.wanted.clone(),
    };
    drop(prepared);
    let finished = serve_and_drain(listener, (reloads, hangup, api), (settings, drain), stopped);
    tokio::select! {
        cut_off = finished => {
            if cut_off > 0 {
                tracing::warn!(connections = cut_off, "cut off: the drain timeout passed");
            }
            Ok(())
        }
        () = second => Err(Failure::Interrupted),
    }
}

fn tls(options: &ServeOptions) -> Result<Option<Arc<Tls>>, Failure> {
    let (Some(certificate), Some(key)) = (&options.tls_cert, &options.tls_key) else {
        return Ok(None);
    };
    Tls::load(certificate, key).map(|tls| Some(Arc::new(tls))).map_err(Failure::configuration)
}

/// What the service serves of an application.
pub(crate) fn served(
    prepared: &Prepared,
    shared: &Shared,
    options: &ServeOptions,
) -> Result<Served, Failure> {
    let app = prepared.app();
    let limits = &app.server.limits;
    Ok(Served {
        table: table::table(prepared, shared, options.dapr.subscriptions)?,
        admission: shared.admissions.get("", limits.instances_max, limits.queue_depth_max),
        trusted_proxies: settings::trusted_proxies(options, app)?,
    })
}

/// daprd shares this machine or pod, but the listener's address may be open to others.
fn warn_of_strangers(app: &App, local: SocketAddr) {
    let delivered = |route: &Route| !matches!(route.trigger, Trigger::Http { .. });
    if !local.ip().is_loopback() && app.routes.iter().any(delivered) {
        tracing::warn!(
            "whoever reaches {local} can deliver events and bindings; set APP_API_TOKEN here and for \
             daprd to let only daprd do so"
        );
    }
}

/// Serves, with reloads, and then drains requests and deliveries side by side, both within the same
/// bound. Returns how many connections had to be cut off.
async fn serve_and_drain(
    listener: TcpListener,
    (mut reloads, hangup, api): (Reloads, Signal, Option<Api>),
    (settings, drain): (ListenSettings, Drain),
    stopped: impl Future<Output = ()>,
) -> usize {
    let service = Arc::clone(&reloads.service);
    let stopped_at = OnceCell::new();
    let stop = async {
        tokio::select! {
            () = stopped => {}
            () = reloads.run(hangup) => {}
        }
        // Set once: nothing else sets it.
        let _ = stopped_at.set(Instant::now());
        reloads.groups.begin_drain();
    };
    let stopping = CancellationToken::new();
    let stop = async {
        stop.await;
        stopping.cancel();
    };
    let served = trilby_server::serve(listener, service, (settings, drain), stop);
    let (cut_off, of_api) = tokio::join!(served, finish(api, &stopping, drain));
    let cut_off = cut_off + of_api;
    // Deliveries went on meanwhile. Only now does no request publish any more events.
    let bound = drain.settle.saturating_add(drain.within);
    let spent = stopped_at.get().map_or(Duration::ZERO, Instant::elapsed);
    reloads.groups.finish(bound.saturating_sub(spent)).await;
    if let Some(log) = reloads.shared.log {
        // Blocking is no matter now: nothing else is left to do.
        log.flush(LOG_WITHIN);
    }
    cut_off
}

/// Ends Dapr's API beside the server: its callers too are served on for a moment. Returns how many
/// connections had to be cut off.
async fn finish(api: Option<Api>, stopping: &CancellationToken, drain: Drain) -> usize {
    let Some(api) = api else { return 0 };
    stopping.cancelled().await;
    tokio::time::sleep(drain.settle).await;
    api.finish(drain.within).await
}

/// Futures that resolve at the first and at the second SIGTERM or SIGINT, and all SIGHUPs.
fn signals() -> std::io::Result<(impl Future<Output = ()>, impl Future<Output = ()>, Signal)> {
    let hangup = signal(SignalKind::hangup())?;
    let (first, first_seen) = tokio::sync::oneshot::channel::<()>();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let second = async move {
        let mut first = Some(first);
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            match first.take() {
                Some(first) => {
                    tracing::info!("shutting down; a second signal ends at once");
                    // The receiver is gone only when serving has already ended.
                    let _ = first.send(());
                }
                None => return,
            }
        }
    };
    let first = async move {
        let _ = first_seen.await;
    };
    Ok((first, second, hangup))
}

fn cannot_listen(address: SocketAddr, error: std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return Failure::Other(anyhow!(
            "{address} is in use by another process; choose another with --listen HOST:PORT \
             (port 0 takes a free one)"
        ));
    }
    Failure::Other(anyhow::Error::new(error).context(format!("cannot listen on {address}")))
}
