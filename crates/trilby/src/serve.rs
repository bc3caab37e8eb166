//! `trilby serve`, from the manifest to the end of the drain.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trilby_dapr::Inbound;
use trilby_embedded::{Deliveries, InputBinding, Subscription};
use trilby_manifest::{App, Route, Trigger};
use trilby_sandbox::Cache;
use trilby_server::{Admission, Drain, Service, ServiceHandle, ServiceSettings, events};

use crate::cli::ServeOptions;
use crate::dapr::Dapr;
use crate::failure::Failure;
use crate::{banner, build, dapr, load};

/// Serves until a signal comes.
pub(crate) fn run(options: ServeOptions) -> Result<(), Failure> {
    let started = Instant::now();
    let address = address(&options)?;
    let loaded = trilby_manifest::load(&options.path).map_err(Failure::configuration)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    build::run(&loaded.app, options.no_build)?;
    let programs = load::programs(&loaded.app, cache(&options))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let served = runtime.block_on(serve(&loaded.app, &programs, &options, (address, started)));
    // What is still blocked in the system after the drain must not hold up the exit.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(
    app: &App,
    programs: &load::Programs,
    options: &ServeOptions,
    (address, started): (SocketAddr, Instant),
) -> Result<(), Failure> {
    // First of all: a signal that nobody listens for ends the process at once.
    let (stopped, second) = signals().context("cannot listen for signals")?;
    let dapr = dapr::open(app, &options.data_dir, options.components.as_deref())?;
    let table = load::table(app, programs, &dapr.blocks())?;
    let listener =
        TcpListener::bind(address).await.map_err(|error| cannot_listen(address, error))?;
    let local = listener.local_addr().context("the listener has no address")?;
    let (instances_max, queue_depth_max) = app
        .routes
        .first()
        .map_or((1, 0), |route| (route.limits.instances_max, route.limits.queue_depth_max));
    let deliveries_over_http = matches!(dapr, Dapr::Sidecar(_));
    let app_token = std::env::var("APP_API_TOKEN").ok().filter(|token| !token.is_empty());
    if deliveries_over_http && app_token.is_none() {
        warn_of_strangers(app, local);
    }
    let service = Arc::new(Service::new(ServiceSettings {
        table,
        admission: Admission::new(instances_max, queue_depth_max),
        deliveries_over_http,
        app_token,
        server_name: local.ip().to_string(),
    }));
    let deliveries = start_deliveries(app, &dapr, &service)?;
    banner::print(app, &dapr, local, started.elapsed(), programs.counts());
    let drain = Drain { settle: options.drain_settle, within: options.drain_timeout };
    let finished = serve_and_drain(listener, service, deliveries, (drain, stopped));
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

/// Serves, and then drains requests and deliveries side by side, both within the same bound.
/// Returns how many connections had to be cut off.
async fn serve_and_drain(
    listener: TcpListener,
    service: Arc<Service>,
    deliveries: Option<Deliveries>,
    (drain, stopped): (Drain, impl Future<Output = ()>),
) -> usize {
    let stopped_at = OnceCell::new();
    let stopped = async {
        stopped.await;
        // Set once: nothing else sets it.
        let _ = stopped_at.set(Instant::now());
        if let Some(deliveries) = &deliveries {
            deliveries.begin_drain();
        }
    };
    let cut_off = trilby_server::serve(listener, service, drain, stopped).await;
    // Deliveries went on meanwhile. Only now does no request publish any more events.
    if let Some(deliveries) = deliveries {
        let bound = drain.settle.saturating_add(drain.within);
        let spent = stopped_at.get().map_or(Duration::ZERO, Instant::elapsed);
        deliveries.finish(bound.saturating_sub(spent)).await;
    }
    cut_off
}

fn start_deliveries(
    app: &App,
    dapr: &Dapr,
    service: &Arc<Service>,
) -> Result<Option<Deliveries>, Failure> {
    let Dapr::Embedded(runtime) = dapr else { return Ok(None) };
    let mut subscriptions = Vec::new();
    let mut bindings = Vec::new();
    for route in &app.routes {
        match &route.trigger {
            Trigger::Http { .. } => {}
            Trigger::Topic { pubsub, topic } => subscriptions.push(Subscription {
                pubsub: pubsub.clone(),
                topic: topic.clone(),
                path: events::topic_path(pubsub, topic),
                deadline: route.limits.deadline,
            }),
            Trigger::Binding { name } => bindings.push(InputBinding {
                name: name.clone(),
                path: events::binding_path(name),
                deadline: route.limits.deadline,
            }),
        }
    }
    let inbound: Arc<dyn Inbound> = Arc::new(ServiceHandle(Arc::clone(service)));
    runtime.start(inbound, subscriptions, bindings).map(Some).map_err(Failure::configuration)
}

/// Futures that resolve at the first and at the second SIGTERM or SIGINT.
fn signals() -> std::io::Result<(impl Future<Output = ()>, impl Future<Output = ()>)> {
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
    Ok((first, second))
}

fn address(options: &ServeOptions) -> Result<SocketAddr, Failure> {
    if let Some(address) = options.listen {
        return Ok(address);
    }
    match std::env::var("PORT") {
        Ok(port) if !port.is_empty() => {
            let port: u16 = port.parse().map_err(|_| {
                Failure::configuration(format!("PORT is `{port}`, which is not a port number"))
            })?;
            Ok(SocketAddr::from(([0, 0, 0, 0], port)))
        }
        _ => Ok(SocketAddr::from(([127, 0, 0, 1], 3000))),
    }
}

fn cannot_listen(address: SocketAddr, error: std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return Failure::Other(anyhow!(
            "{address} is in use by another process; choose another with --listen ADDRESS:PORT \
             (port 0 takes a free one)"
        ));
    }
    Failure::Other(anyhow::Error::new(error).context(format!("cannot listen on {address}")))
}

/// The compilation cache, or none when there is no folder for it: that only costs start time.
fn cache(options: &ServeOptions) -> Option<Cache> {
    if options.no_cache {
        return None;
    }
    let folder = options.cache_dir.clone().or_else(default_cache_dir)?;
    match Cache::open(&folder) {
        Ok(cache) => Some(cache),
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "no compilation cache");
            None
        }
    }
}

fn default_cache_dir() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(base.join("trilby").join("modules"))
}
