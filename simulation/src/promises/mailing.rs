//! No channel is told twice; what a digest says goes to each channel in one mailing, and every mailing is sent or known not to be.

use std::collections::BTreeMap;

use photovault_domain::{Medium, Notice, Status, UserId};
use photovault_vault::{Digest, Mailing, MailingEnd};

use super::{Event, Promise, Scene};

#[derive(Default)]
pub(super) struct Mailings {
    /// Every mailing as it is.
    known: BTreeMap<String, Mailing>,
    /// What channels got, by the mailing's id.
    came: BTreeMap<String, Vec<Notice>>,
    /// Ends that digests have told, by user.
    told: BTreeMap<UserId, u64>,
}

impl Promise for Mailings {
    fn name(&self) -> &'static str {
        "telling"
    }

    fn step(&mut self, event: &Event, _scene: &Scene) -> Result<(), String> {
        match event {
            Event::Digest { before, after } => {
                *self.told.entry(after.user.clone()).or_default() += new_ends(*before, after);
                Ok(())
            }
            Event::Mailing { after } => {
                self.known.insert(after.id(), (*after).clone());
                Ok(())
            }
            Event::Published { medium, notice } => self.came(*medium, notice),
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, _scene: &Scene, _cured: bool) -> Result<(), String> {
        let mut by_topic: BTreeMap<&UserId, u64> = BTreeMap::new();
        for (id, mailing) in &self.known {
            let (medium, due) = (mailing.delivery.medium, mailing.delivery.due.0);
            let came = self.came.get(id).map_or(&[][..], Vec::as_slice);
            match &mailing.ended {
                None => return Err(format!("the mailing of {due} by {medium} is never sent: {mailing:?}")),
                Some((MailingEnd::Sent, _)) if came.is_empty() => {
                    return Err(format!("the mailing of {due} is called sent, and nothing came by {medium}"));
                }
                Some(_) => {}
            }
            if let Some(other) = came.iter().find(|notice| notice.ends != mailing.ends) {
                return Err(format!("the mailing of {due} says {:?}, and {:?} came by {medium}", mailing.ends, other.ends));
            }
            if medium == Medium::Topic {
                *by_topic.entry(&mailing.delivery.user).or_default() += mailing.ends.values().sum::<u64>();
            }
        }
        let told = self.told.iter().filter(|(_, told)| **told > 0).map(|(user, told)| (user, *told)).collect::<BTreeMap<_, _>>();
        if by_topic != told {
            return Err(format!("digests told of {told:?} ends, and mailings of {by_topic:?}"));
        }
        Ok(())
    }
}

impl Mailings {
    fn came(&mut self, medium: Medium, notice: &Notice) -> Result<(), String> {
        let came = self.came.entry(notice.id.clone()).or_default();
        came.push(notice.clone());
        let attempts = self.known.get(&notice.id).map_or(0, |mailing| mailing.attempts as usize);
        if came.len() > attempts {
            return Err(format!("{} messages went out by {medium} after {attempts} claims", came.len()));
        }
        if came.len() > 1 && !medium.tells_apart() {
            return Err(format!("the same message came by {medium} {} times", came.len()));
        }
        Ok(())
    }
}

/// Ends that are in a digest now, and were not.
fn new_ends(before: Option<&Digest>, after: &Digest) -> u64 {
    let was = |id, status: &Status| before.is_some_and(|before| before.items.get(id) == Some(status));
    after.items.iter().filter(|(id, status)| !was(id, status)).count() as u64
}
