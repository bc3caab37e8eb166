//! The keys of a route that only a topic has: which of its events, and how they come.

use std::collections::HashMap;
use std::time::Duration;

use crate::findings::{Findings, Problem, Span, shown};
use crate::limits::values;
use crate::reader::{Field, Reader, Text};
use crate::route::Draft;
use crate::{BulkOptions, TopicOptions, Trigger};

/// The keys that go with `topic` only.
pub(crate) const TOPIC_KEYS: [&str; 5] =
    ["match", "dead-letter", "bulk", "raw-payload", "envelope"];

/// The keys of a `bulk` that is a table.
pub(crate) const BULK_KEYS: [&str; 2] = ["max-messages", "max-await"];

/// Bytes of a condition.
const MATCH_BYTES_MAX: usize = 8 << 10;

/// Dapr's defaults of a bulk subscription.
const BULK: BulkOptions = BulkOptions { messages_max: 100, await_max: Duration::from_secs(1) };

/// `pubsub/topic`. Topics of some brokers have slashes; names of components have none.
pub(crate) fn topic(route: &Reader<'_>, text: &Text<'_>, found: &mut Findings) -> Option<Trigger> {
    let options = options(route, found);
    match text.text.split_once('/') {
        Some((pubsub, topic)) if !pubsub.is_empty() && !topic.is_empty() => {
            refuse_circle(route, topic, &options, found);
            let (pubsub, topic) = (pubsub.to_owned(), topic.to_owned());
            Some(Trigger::Topic { pubsub, topic, options })
        }
        _ => {
            let title =
                format!("topic `{}` does not name a component and a topic", shown(text.text));
            let help = "write the pub/sub component's name, `/`, and the topic: `pubsub/orders`";
            found.error(Problem::new(text.span.clone(), title).help(help));
            None
        }
    }
}

fn options(route: &Reader<'_>, found: &mut Findings) -> TopicOptions {
    let flag = |name: &str, found: &mut Findings| {
        route.get(name).and_then(|field| field.boolean(found)).unwrap_or(false)
    };
    let options = TopicOptions {
        condition: route.get("match").and_then(|field| condition(&field, found)),
        dead_letter_topic: route
            .get("dead-letter")
            .and_then(|field| field.filled_text(found))
            .map(|text| text.text.to_owned()),
        bulk: route.get("bulk").and_then(|field| bulk(&field, found)),
        raw_payload: flag("raw-payload", found),
        envelope: flag("envelope", found),
    };
    let other = match (options.envelope, options.raw_payload, options.bulk) {
        (true, true, _) => Some(("raw-payload", "what is published raw has no envelope")),
        (true, _, Some(_)) => Some(("bulk", "several events always come in their envelopes")),
        _ => None,
    };
    if let Some((other, help)) = other
        && let (Some(envelope), Some(other)) = (route.get("envelope"), route.get(other))
    {
        let title = format!("`envelope` means nothing with `{}`", other.name);
        let context = "the other one";
        found.error(Problem::new(envelope.key, title).context(other.key, context).help(help));
    }
    options
}

fn condition(field: &Field<'_>, found: &mut Findings) -> Option<String> {
    let text = field.filled_text(found)?;
    if text.text.len() > MATCH_BYTES_MAX {
        let title = format!("`match` has more than {MATCH_BYTES_MAX} bytes");
        found.error(Problem::new(text.span, title).help("let the guest look at the event"));
        return None;
    }
    Some(text.text.to_owned())
}

/// `true`, `false`, or a table.
fn bulk(field: &Field<'_>, found: &mut Findings) -> Option<BulkOptions> {
    const MESSAGES_MAX: i64 = 10_000;
    const AWAIT_MAX: Duration = Duration::from_secs(60);
    if field.is_boolean() {
        return field.boolean(found).filter(|is_bulk| *is_bulk).map(|_| BULK);
    }
    let Some(table) = field.table("`bulk`") else {
        found.error(field.wrong_type("`true`, `false` or a table"));
        return None;
    };
    table.refuse_unknown(&BULK_KEYS, found);
    let mut options = BULK;
    if let Some(messages) = table.get("max-messages") {
        let count = values::count(&messages, MESSAGES_MAX, found)?;
        options.messages_max = u32::try_from(count).ok()?;
    }
    if let Some(wait) = table.get("max-await") {
        let duration = values::duration(&wait, found)?;
        if duration > AWAIT_MAX {
            let title = "`max-await` must not be longer than 1m";
            found.error(Problem::new(wait.span(), title));
            return None;
        }
        options.await_max = duration;
    }
    Some(options)
}

/// An event that cannot be delivered would come again as its own dead letter.
fn refuse_circle(route: &Reader<'_>, topic: &str, options: &TopicOptions, found: &mut Findings) {
    if options.dead_letter_topic.as_deref() == Some(topic)
        && let Some(field) = route.get("dead-letter")
    {
        let title = "`dead-letter` is the route's own topic";
        let help = "name another topic of the same component, and give that one a route";
        found.error(Problem::new(field.span(), title).help(help));
    }
}

pub(crate) fn refuse_topic_keys(route: &Reader<'_>, found: &mut Findings) {
    for field in TOPIC_KEYS.iter().filter_map(|name| route.get(name)) {
        let title = format!("`{}` means nothing without `topic`", field.name);
        let help = "leave it out: it is about the events of a topic";
        found.error(Problem::new(field.key, title).help(help));
    }
}

/// All routes of a topic share its one subscription: what one of them says of it holds for all.
pub(crate) fn share_subscriptions(drafts: &mut [Draft], found: &mut Findings) {
    type Name = (String, String);
    let mut shared: HashMap<Name, (Span, TopicOptions)> = HashMap::new();
    for draft in drafts.iter() {
        let Some(trigger) = &draft.trigger else { continue };
        let Trigger::Topic { pubsub, topic, options } = trigger.get_ref() else { continue };
        let entry = shared.entry((pubsub.clone(), topic.clone()));
        let (first, all) = entry.or_insert_with(|| (trigger.span(), options.clone()));
        let differs = |key: &str| {
            Problem::new(trigger.span(), format!("two routes of a topic differ in `{key}`"))
                .label("the second one")
                .context(first.clone(), "the first one")
                .help("a topic has one subscription: write it in one of its routes only")
        };
        match (&all.dead_letter_topic, &options.dead_letter_topic) {
            (Some(one), Some(other)) if one != other => found.error(differs("dead-letter")),
            (None, Some(other)) => all.dead_letter_topic = Some(other.clone()),
            _ => {}
        }
        match (all.bulk, options.bulk) {
            (Some(one), Some(other)) if one != other => found.error(differs("bulk")),
            (None, Some(other)) => all.bulk = Some(other),
            _ => {}
        }
        all.raw_payload |= options.raw_payload;
    }
    for draft in drafts {
        let Some(trigger) = &mut draft.trigger else { continue };
        let Trigger::Topic { pubsub, topic, options } = trigger.get_mut() else { continue };
        if let Some((_, all)) = shared.get(&(pubsub.clone(), topic.clone())) {
            options.dead_letter_topic.clone_from(&all.dead_letter_topic);
            options.bulk = all.bulk;
            options.raw_payload = all.raw_payload;
        }
    }
}

#[cfg(test)]
mod tests;
