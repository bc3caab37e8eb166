//! What an app wants: the answer to `GET /dapr/subscribe`, in daprd's form.

use std::time::Duration;

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;
use trilby_dapr::delivery::NOT_IN_PATH;
use trilby_dapr::subscription::{Bulk, Rule, Subscription, Target};
use trilby_dapr::{Condition, Metadata};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    #[serde(default)]
    pubsubname: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    route: Option<String>,
    #[serde(default)]
    routes: Option<Routes>,
    #[serde(default)]
    dead_letter_topic: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    bulk_subscribe: Option<BulkSubscribe>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Routes {
    rules: Option<Vec<RuleJson>>,
    default: Option<String>,
}

#[derive(Deserialize)]
struct RuleJson {
    #[serde(default)]
    r#match: String,
    #[serde(default)]
    path: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct BulkSubscribe {
    enabled: bool,
    max_messages_count: u32,
    max_await_duration_ms: u64,
}

/// The subscriptions of an app. What cannot be one is left out with a message.
pub(super) fn subscriptions(app: &str, body: &[u8], within: Duration) -> Vec<Subscription> {
    let all: Vec<Json> = match serde_json::from_slice::<Option<Vec<Json>>>(body) {
        Ok(all) => all.unwrap_or_default(),
        Err(error) => {
            tracing::error!(app, "the answer to `GET /dapr/subscribe` is none: {error}");
            return Vec::new();
        }
    };
    let wanted = all.into_iter().filter_map(|json| {
        let (pubsub, topic) = (json.pubsubname.clone(), json.topic.clone());
        match json.subscription(within) {
            Ok(subscription) => Some(subscription),
            Err(why) => {
                tracing::error!(app, pubsub, topic, "not subscribed: {why}");
                None
            }
        }
    });
    wanted.collect()
}

/// A path of an app, encoded, with its leading `/`.
pub(super) fn path(text: &str) -> String {
    format!("/{}", utf8_percent_encode(text.trim_start_matches('/'), NOT_IN_PATH))
}

impl Json {
    fn subscription(self, within: Duration) -> Result<Subscription, String> {
        let target = |text: &str| Target { path: path(text), deadline: within };
        let routes = self.routes.unwrap_or_default();
        let mut rules = Vec::new();
        let mut default =
            [self.route, routes.default].into_iter().flatten().find(|path| !path.is_empty());
        for rule in routes.rules.unwrap_or_default() {
            if rule.r#match.is_empty() {
                default = Some(rule.path);
                continue;
            }
            let condition = Condition::parse(&rule.r#match).map_err(|error| error.to_string())?;
            rules.push(Rule { condition, target: target(&rule.path) });
        }
        let default = default.map(|path| target(&path));
        if self.pubsubname.is_empty() || self.topic.is_empty() {
            return Err("it has no `pubsubname` or no `topic`".to_owned());
        }
        if rules.is_empty() && default.is_none() {
            return Err("it has no route".to_owned());
        }
        Ok(Subscription {
            pubsub: self.pubsubname,
            topic: self.topic,
            rules,
            default,
            dead_letter_topic: self.dead_letter_topic.filter(|topic| !topic.is_empty()),
            bulk: self.bulk_subscribe.filter(|bulk| bulk.enabled).map(BulkSubscribe::bulk),
            metadata: self.metadata.unwrap_or_default(),
        })
    }
}

impl BulkSubscribe {
    /// What is not said is Dapr's default.
    fn bulk(self) -> Bulk {
        let mut bulk = Bulk::default();
        if self.max_messages_count > 0 {
            bulk.max_messages = self.max_messages_count;
        }
        if self.max_await_duration_ms > 0 {
            bulk.max_await = Duration::from_millis(self.max_await_duration_ms);
        }
        bulk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<Subscription> {
        subscriptions("a", json.as_bytes(), Duration::from_secs(1))
    }

    #[test]
    fn what_sdks_answer_is_understood() {
        let json = r#"[
            {"pubsubname":"p","topic":"t","route":"orders"},
            {"pubsubname":"p","topic":"t2","routes":{"default":"/a b","rules":[
                {"match":"event.type == \"x\"","path":"/x"}]},"deadLetterTopic":"dead",
                "metadata":{"rawPayload":"true"},
                "bulkSubscribe":{"enabled":true,"maxMessagesCount":7}}]"#;
        let found = read(json);
        let paths: Vec<&str> =
            found.iter().flat_map(|one| &one.default).map(|target| &*target.path).collect();
        assert_eq!(paths, ["/orders", "/a%20b"]);
        assert_eq!(found[1].rules[0].target.path, "/x");
        assert_eq!(found[1].dead_letter_topic.as_deref(), Some("dead"));
        assert_eq!(found[1].bulk.map(|bulk| bulk.max_messages), Some(7));
        assert_eq!(found[1].metadata["rawPayload"], "true");
    }

    #[test]
    fn what_is_no_subscription_is_left_out() {
        for json in [
            "",
            "null",
            "{}",
            "[]",
            r#"[{"pubsubname":"p","topic":"t"}]"#,
            r#"[{"pubsubname":"","topic":"t","route":"x"}]"#,
            r#"[{"pubsubname":"p","topic":"t","routes":{"rules":[{"match":"(","path":"x"}]}}]"#,
        ] {
            assert_eq!(read(json), [], "{json}");
        }
    }
}
