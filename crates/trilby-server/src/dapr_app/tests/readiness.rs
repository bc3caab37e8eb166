//! What `/readyz` waits for.

use std::sync::Arc;

use async_trait::async_trait;

use crate::Ready;
use crate::testing::{App, request, send};

#[derive(Clone, Copy, Debug)]
enum Sidecar {
    There,
    Away,
    Silent,
}

#[async_trait]
impl Ready for Sidecar {
    async fn outbound_ready(&self) -> bool {
        match self {
            Self::There => true,
            Self::Away => false,
            Self::Silent => std::future::pending().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_routes_that_use_dapr_wait_for_it() {
    let table = [
        (None, true, 200),
        (Some(Sidecar::There), true, 200),
        (Some(Sidecar::Away), true, 503),
        (Some(Sidecar::Silent), true, 503),
        (Some(Sidecar::There), false, 200),
        (Some(Sidecar::Away), false, 200),
        (Some(Sidecar::Silent), false, 200),
    ];
    for (sidecar, uses_dapr, expected) in table {
        let app = App::new().with(|app| {
            app.table.uses_dapr = uses_dapr;
            app.ready = sidecar.map(|sidecar| -> Arc<dyn Ready> { Arc::new(sidecar) });
        });
        let service = app.serve();
        let answer = send(&service, request("GET", "/readyz", &[], "")).await;
        assert_eq!(answer.status(), expected, "{sidecar:?} {uses_dapr}");
        let text = if expected == 200 { "OK" } else { "waiting for the Dapr sidecar\n" };
        assert_eq!(answer.body(), text);
        let alive = send(&service, request("GET", "/healthz", &[], "")).await;
        assert_eq!(alive.status(), 200);
    }
}

#[tokio::test]
async fn a_reload_may_begin_to_wait() {
    let away = |app: &mut App| app.ready = Some(Arc::new(Sidecar::Away));
    let service = App::new().with(away).serve();
    assert_eq!(send(&service, request("GET", "/readyz", &[], "")).await.status(), 200);
    service.replace(App::new().with(|app| app.table.uses_dapr = true).served());
    assert_eq!(send(&service, request("GET", "/readyz", &[], "")).await.status(), 503);
}

#[tokio::test]
async fn a_server_that_drains_is_not_ready_whatever_dapr_is() {
    let service = App::new().with(|app| app.ready = Some(Arc::new(Sidecar::There))).serve();
    service.start_draining();
    let answer = send(&service, request("GET", "/readyz", &[], "")).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.body()[..]),
        (503, &b"the server is shutting down\n"[..])
    );
}
