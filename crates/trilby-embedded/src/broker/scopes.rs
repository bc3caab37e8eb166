//! Which topics this app may use, by the metadata of the component.

use crate::component::Component;

/// Daprd's four lists, as they concern one app. An empty list restricts nothing.
#[derive(Debug)]
pub(super) struct Scopes {
    allowed: Vec<String>,
    protected: Vec<String>,
    publishing: Vec<String>,
    subscription: Vec<String>,
}

impl Scopes {
    /// `allowedTopics` and `protectedTopics` are `topic,topic`; `publishingScopes` and
    /// `subscriptionScopes` are `app=topic,topic;app=topic`.
    pub(super) fn read(component: &Component, app_id: &str) -> Self {
        let value = |name| component.get(name).unwrap_or_default().replace(' ', "");
        let topics = |name| {
            let value: String = value(name);
            if value.is_empty() { Vec::new() } else { split(&value) }
        };
        let scoped = |name| {
            let value: String = value(name);
            let apps = value.split(';').filter_map(|scope| scope.split_once('='));
            apps.filter(|(app, _)| *app == app_id)
                .flat_map(|(_, topics)| split(topics.split('=').next().unwrap_or_default()))
                .collect()
        };
        Self {
            allowed: topics("allowedTopics"),
            protected: topics("protectedTopics"),
            publishing: scoped("publishingScopes"),
            subscription: scoped("subscriptionScopes"),
        }
    }

    pub(super) fn may_publish(&self, topic: &str) -> bool {
        self.allows(topic, &self.publishing)
    }

    pub(super) fn may_subscribe(&self, topic: &str) -> bool {
        self.allows(topic, &self.subscription)
    }

    fn allows(&self, topic: &str, scope: &[String]) -> bool {
        let has = |topics: &[String]| topics.iter().any(|known| known == topic);
        if !self.allowed.is_empty() && !has(&self.allowed) {
            return false;
        }
        // A protected topic needs a scope that names it; others need it only if there is a scope.
        (scope.is_empty() && !has(&self.protected)) || has(scope)
    }
}

fn split(topics: &str) -> Vec<String> {
    topics.split(',').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(metadata: &[(&str, &str)]) -> Scopes {
        let component = Component::for_test("bus", "pubsub.in-memory", metadata, 1);
        Scopes::read(&component, "shop")
    }

    #[test]
    fn lists_decide_as_in_daprd() {
        type Row = (&'static [(&'static str, &'static str)], &'static str, bool, bool);
        let table: [Row; 15] = [
            (&[], "a", true, true),
            (&[("allowedTopics", "a, b")], "b", true, true),
            (&[("allowedTopics", "a,b")], "c", false, false),
            (&[("AllowedTopics", "a")], "c", false, false),
            (&[("protectedTopics", "a")], "a", false, false),
            (&[("protectedTopics", "a")], "b", true, true),
            (&[("protectedTopics", "a"), ("publishingScopes", "shop=a")], "a", true, false),
            (&[("publishingScopes", "shop=a,b; other=c")], "b", true, true),
            (&[("publishingScopes", "shop=a,b; other=c")], "c", false, true),
            (&[("publishingScopes", "other=c")], "a", true, true),
            (&[("publishingScopes", "shop=")], "a", false, true),
            (&[("publishingScopes", "shop")], "a", true, true),
            (&[("publishingScopes", "shop=a=b")], "b", false, true),
            (&[("subscriptionScopes", "shop=a")], "b", true, false),
            (&[("allowedTopics", "a"), ("subscriptionScopes", "shop=b")], "b", false, false),
        ];
        for (metadata, topic, publish, subscribe) in table {
            let scopes = scopes(metadata);
            assert_eq!(scopes.may_publish(topic), publish, "publish {topic} {metadata:?}");
            assert_eq!(scopes.may_subscribe(topic), subscribe, "subscribe {topic} {metadata:?}");
        }
    }
}
