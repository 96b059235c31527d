//! A queue as SQS has it: visibility, delays, receive counts, and dead letters past `maxReceiveCount`.

/// A message that is in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The queue's id of it, kept on its way to the dead letters.
    pub id: String,
    /// What it says.
    pub body: String,
    /// When it was sent first, ms.
    pub sent: i64,
    /// When it can be received (again), ms.
    pub visible: i64,
    /// How often it was received in this queue.
    pub received: u32,
    /// How many of those deliveries met a fault: what a simulation keeps account of.
    pub marred: u32,
}

/// What a receive brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The messages, each with the receipt that deletes or returns this delivery.
    pub taken: Vec<(String, Queued)>,
    /// What went to the dead letters instead.
    pub buried: Vec<Queued>,
}

/// A queue. Time is told to it, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulatedQueue {
    /// How long a received message is hidden, ms.
    pub visibility: i64,
    /// After how many receives a message goes to the dead letters.
    pub max_receives: Option<u32>,
    /// What is in it, in the order of arrival.
    pub messages: Vec<Queued>,
}

impl SimulatedQueue {
    /// Puts a message in.
    pub fn send(&mut self, now: i64, id: String, body: String, delay_s: u32) {
        self.messages.push(Queued { id, body, sent: now, visible: now + i64::from(delay_s) * 1000, received: 0, marred: 0 });
    }

    /// Takes in a message that died in another queue: its id and first time stay, its count begins anew.
    pub fn bury(&mut self, now: i64, message: Queued) {
        self.messages.push(Queued { visible: now, received: 0, marred: 0, ..message });
    }

    /// Receives up to `most` messages: those that `pick` chooses among the visible ones, by its index of so many.
    pub fn receive(&mut self, now: i64, most: usize, mut pick: impl FnMut(usize) -> usize) -> Received {
        let mut received = Received::default();
        while received.taken.len() < most {
            let visible: Vec<usize> = (0..self.messages.len()).filter(|at| self.messages[*at].visible <= now).collect();
            if visible.is_empty() {
                break;
            }
            let at = visible[pick(visible.len())];
            if self.max_receives.is_some_and(|most| self.messages[at].received >= most) {
                received.buried.push(self.messages.remove(at));
                continue;
            }
            let message = &mut self.messages[at];
            message.received += 1;
            message.visible = now + self.visibility;
            received.taken.push((format!("{}/{}", message.id, message.received), message.clone()));
        }
        received
    }

    /// Removes a message by the receipt of its latest delivery; any other receipt does nothing.
    pub fn delete(&mut self, receipt: &str) {
        if let Some(at) = self.held(receipt) {
            self.messages.remove(at);
        }
    }

    /// Lets a message that is still hidden come back after so many seconds; any other receipt does nothing.
    pub fn return_after(&mut self, now: i64, receipt: &str, seconds: u32) {
        if let Some(at) = self.held(receipt).filter(|at| self.messages[*at].visible > now) {
            self.messages[at].visible = now + i64::from(seconds) * 1000;
        }
    }

    /// When the next message can be received, if there is one.
    pub fn next_visible(&self) -> Option<i64> {
        self.messages.iter().map(|message| message.visible).min()
    }

    /// The message that a receipt holds.
    pub fn held(&self, receipt: &str) -> Option<usize> {
        let (id, count) = receipt.rsplit_once('/')?;
        let count: u32 = count.parse().ok()?;
        self.messages.iter().position(|message| message.id == id && message.received == count)
    }
}
