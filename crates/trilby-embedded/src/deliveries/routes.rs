//! Which target gets an event.

use std::sync::Arc;

use serde_json::{Map, Value};
use trilby_dapr::subscription::Subscription;
use trilby_dapr::{Condition, ConditionError, Inbound};

use super::post::Target;
use crate::Error;

/// The targets of a subscription.
pub(super) struct Routes {
    rules: Vec<(Condition, Arc<Target>)>,
    default: Option<Arc<Target>>,
}

impl Routes {
    pub(super) fn of(
        inbound: &Arc<dyn Inbound>,
        subscription: &Subscription,
    ) -> Result<Self, Error> {
        let target = |target| Target::new(inbound, &subscription.pubsub, target).map(Arc::new);
        let rules = subscription.rules.iter();
        let rules = rules.map(|rule| Ok((rule.condition.clone(), target(&rule.target)?)));
        Ok(Self {
            rules: rules.collect::<Result<_, Error>>()?,
            default: subscription.default.as_ref().map(target).transpose()?,
        })
    }

    /// Who gets the event with this envelope.
    pub(super) fn find(
        &self,
        envelope: &Map<String, Value>,
    ) -> Result<Option<Arc<Target>>, ConditionError> {
        let rules = self.rules.iter().map(|(condition, target)| (condition, target));
        Ok(Condition::route(rules, self.default.as_ref(), envelope)?.cloned())
    }
}
