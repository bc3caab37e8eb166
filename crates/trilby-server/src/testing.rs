//! Applications of text modules, in this process: what comes in is answered by real guests.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use trilby_cgi::{Precedence, RouteTable};
use trilby_host::{Access, Host, HostSettings, Unavailable};
use trilby_manifest::{Grants, Route, TopicOptions, Trigger};
use trilby_sandbox::{Engine, EngineSettings, Linked, Program};

use crate::body::{RequestBody, ResponseBody, request_body, whole};
use crate::entry::{Answers, Entry, Guest, Table};
use crate::{Admission, Peer, Ready, Served, Service, ServiceSettings, events};

/// What daprd shows where the tests want a token.
pub(crate) const TOKEN: &str = "app-token";

/// The other end of a connection.
pub(crate) const PEER: Peer = Peer {
    remote: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1),
    local: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2),
    tls: false,
};

/// What a guest does.
#[derive(Clone, Copy)]
pub(crate) enum Says<'a> {
    /// Tells its environment and its standard input, as [`Told`] reads them.
    All,
    /// The same, with status 500.
    AllAndFails,
    /// Writes this CGI response.
    This(&'a str),
}

/// Routes, and what else a service is made of.
pub(crate) struct App {
    pub(crate) table: Table,
    http: Vec<trilby_cgi::Route<Arc<Entry>>>,
    pub(crate) sidecar: bool,
    pub(crate) token: Option<String>,
    pub(crate) ready: Option<Arc<dyn Ready>>,
}

impl App {
    /// No route; with a sidecar, and without a token.
    pub(crate) fn new() -> Self {
        let table = Table {
            http: RouteTable::new(Precedence::LongestMatch, Vec::new()),
            topics: [].into(),
            bindings: [].into(),
            jobs: Vec::new(),
            configurations: Vec::new(),
            subscriptions: Vec::new(),
            uses_dapr: false,
            body_in_bytes_max: 1 << 20,
        };
        Self { table, http: Vec::new(), sidecar: true, token: None, ready: None }
    }

    /// Adds an HTTP route.
    pub(crate) fn path(mut self, path: &str, says: Says<'_>) -> Self {
        let trigger = Trigger::Http { path: path.into(), methods: Vec::new(), host: None };
        self.http.push(trilby_cgi::Route {
            pattern: trilby_cgi::Pattern::parse(path).expect("a pattern"),
            methods: Vec::new(),
            host: None,
            value: entry(trigger, says),
        });
        self
    }

    /// Adds a route of the topic `bus/NAME`.
    pub(crate) fn topic(mut self, topic: &str, options: TopicOptions, says: Says<'_>) -> Self {
        let path = events::topic_path("bus", topic, options.condition.as_deref());
        let trigger = Trigger::Topic { pubsub: "bus".into(), topic: topic.into(), options };
        self.table.topics.insert(path, entry(trigger, says));
        self
    }

    /// Adds a route of a binding.
    pub(crate) fn binding(mut self, name: &str, says: Says<'_>) -> Self {
        let trigger = Trigger::Binding { name: name.into() };
        self.table.bindings.insert(name.into(), entry(trigger, says));
        self
    }

    /// Adds a route of jobs.
    pub(crate) fn job(mut self, pattern: &str, says: Says<'_>) -> Self {
        let pattern = trilby_manifest::Pattern::parse(pattern).expect("a pattern");
        let trigger = Trigger::Job { pattern: pattern.clone() };
        self.table.jobs.push((pattern, entry(trigger, says)));
        self
    }

    /// Adds a route of keys of the store `config`.
    pub(crate) fn configuration(mut self, pattern: &str, says: Says<'_>) -> Self {
        let pattern = trilby_manifest::Pattern::parse(pattern).expect("a pattern");
        let store = "config".to_owned();
        let trigger = Trigger::Configuration { store: store.clone(), pattern: pattern.clone() };
        self.table.configurations.push((store, pattern, entry(trigger, says)));
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn served(self) -> Served {
        let http = RouteTable::new(Precedence::LongestMatch, self.http);
        let table = Table { http, ..self.table };
        Served { table, admission: Admission::new(4, 4), trusted_proxies: Vec::new() }
    }

    pub(crate) fn serve(self) -> Arc<Service> {
        let (deliveries_over_http, app_token) = (self.sidecar, self.token.clone());
        let ready = self.ready.clone();
        Arc::new(Service::new(ServiceSettings {
            served: self.served(),
            deliveries_over_http,
            app_token,
            server_name: "here".to_owned(),
            show_reasons: false,
            ready,
        }))
    }
}

/// What a guest told of itself.
#[derive(Debug)]
pub(crate) struct Told {
    variables: Vec<String>,
    pub(crate) stdin: String,
}

impl Told {
    pub(crate) fn read(body: &[u8]) -> Self {
        let text = String::from_utf8(body.to_vec()).expect("UTF-8");
        let (variables, stdin) = text.split_once("\0\n").expect("all that a guest tells");
        let variables = variables.split('\0').map(str::to_owned).collect();
        Self { variables, stdin: stdin.to_owned() }
    }

    /// A variable; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut found = self.variables.iter().filter_map(|variable| {
            variable.split_once('=').filter(|(known, _)| *known == name).map(|(_, value)| value)
        });
        let value = found.next().unwrap_or_default();
        assert_eq!(found.next(), None, "{name} occurs twice");
        value
    }
}

/// A request as a connection brings it.
pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&'static str, &str)],
    body: &str,
) -> Request<RequestBody> {
    let mut request = Request::builder().method(method).uri(path).header("host", "h.test");
    for &(name, value) in headers {
        request = request.header(name, value);
    }
    let body = request_body(Bytes::copy_from_slice(body.as_bytes()));
    request.body(body).expect("a request")
}

/// Sends a request, and reads the whole answer.
pub(crate) async fn send(service: &Arc<Service>, request: Request<RequestBody>) -> Response<Bytes> {
    let response: Response<ResponseBody> = service.handle(request, PEER).await;
    whole(response, 1 << 20).await
}

/// Posts a body.
pub(crate) async fn post(service: &Arc<Service>, path: &str, body: &str) -> Response<Bytes> {
    send(service, request("POST", path, &[("dapr-api-token", TOKEN)], body)).await
}

/// An answer of a guest that tells all.
pub(crate) fn told(response: &Response<Bytes>) -> Told {
    assert_eq!(response.status(), 200, "{response:?}");
    Told::read(response.body())
}

fn entry(trigger: Trigger, says: Says<'_>) -> Arc<Entry> {
    let route = Route { trigger, ..ROUTE.clone() };
    let guest = Guest {
        program: program(says),
        host: HostSettings {
            blocks: Arc::new(Unavailable),
            access: Arc::new(Access::new(Grants::default())),
            call_timeout: Duration::from_secs(1),
            http: None,
        },
        volumes: Vec::new(),
        wagi_arguments: false,
        stderr_copy: None,
    };
    Arc::new(Entry {
        label: Arc::from("route"),
        response_headers: HeaderMap::new(),
        admission: None,
        answers: Answers::Guest(Arc::new(guest)),
        route,
    })
}

/// A route with all its defaults.
static ROUTE: LazyLock<Route> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trilby.toml");
    let text = "version = 1\nname = \"a\"\n[[route]]\npath = \"/\"\nmodule = \"m.wat\"\n";
    std::fs::write(&file, text).expect("written");
    // Loading looks whether it is there, and no further.
    std::fs::write(folder.path().join("m.wat"), "(module)").expect("written");
    trilby_manifest::load(&file).expect("a manifest").app.routes.remove(0)
});

static ENGINE: LazyLock<(Engine, Linked<Host>)> = LazyLock::new(|| {
    let settings = EngineSettings { memory_bytes_max: 4 << 20, instances_max: 16, cache: None };
    let engine = Engine::new(settings).expect("an engine");
    let linked = Linked::new(&engine, trilby_host::IMPORT_MODULES, trilby_host::link);
    (engine, linked.expect("linked"))
});

fn program(says: Says<'_>) -> Program<Host> {
    let text = match says {
        Says::All => all("content-type: text/plain\n\n"),
        Says::AllAndFails => all("status: 500\ncontent-type: text/plain\n\n"),
        Says::This(response) => {
            let data: String = response.bytes().map(|byte| format!("\\{byte:02x}")).collect();
            let bytes = response.len();
            format!(
                "(module {WRITE} (data (i32.const 1024) \"{data}\") (func (export \"_start\")
                (call $write (i32.const 1024) (i32.const {bytes}))))"
            )
        }
    };
    let (engine, linked) = &*ENGINE;
    let module = engine.compile(text.as_bytes()).expect("a module");
    linked.program(&module, "_start").expect("a program")
}

fn all(head: &str) -> String {
    let bytes = head.len().to_string();
    let head = head.replace('\n', "\\0a");
    ALL.replace("(WRITE)", WRITE).replace("HEAD_BYTES", &bytes).replace("HEAD", &head)
}

const WRITE: &str = r#"
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 32)
  (func $write (param $at i32) (param $bytes i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $bytes))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
"#;

/// The environment, each variable ended by a NUL, a line feed, and standard input.
const ALL: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (WRITE)
  (data (i32.const 16) "HEAD")
  (data (i32.const 64) "\n")
  (func (export "_start")
    (call $write (i32.const 16) (i32.const HEAD_BYTES))
    (drop (call $environ_sizes_get (i32.const 8) (i32.const 12)))
    (drop (call $environ_get (i32.const 1024) (i32.const 65536)))
    (call $write (i32.const 65536) (i32.load (i32.const 12)))
    (call $write (i32.const 64) (i32.const 1))
    (loop $more
      (i32.store (i32.const 0) (i32.const 1048576))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))
      (if (i32.load (i32.const 8))
        (then
          (call $write (i32.const 1048576) (i32.load (i32.const 8)))
          (br $more))))))
"#;
