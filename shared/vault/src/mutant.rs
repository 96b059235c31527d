//! Deliberate protocol faults, to find out whether the simulation finds them.
//!
//! Without the feature `mutants` (nothing that is deployed has it) [`mutated`] is a constant `false`, and the compiler
//! removes the faults. With it, one fault at a time is switched on for a thread.

/// Declares the mutants once: the enum, the list and the sentence that says what is broken.
macro_rules! mutants {
    ($($name:ident: $what:literal,)*) => {
        /// A protocol fault that can be switched on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant { $(#[doc = $what] $name,)* }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What is broken, in a sentence.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }
        }
    };
}

mutants! {
    BlindPut: "an item is written over whatever another writer wrote since",
    ConflictIsWritten: "a write whose condition failed is taken for done",
    VersionStands: "a write does not count the item's version",
    BlindDigest: "a digest's condition that failed is taken for written",
    PublishUnclaimed: "a mailing is sent without a claim",
    SendsBeforeClaim: "a mailing is sent, then claimed",
    ClaimNeverEnds: "the claim on a mailing stands for ever when its holder died",
    UnknownIsSentAgain: "a mailing of which nobody knows whether it was sent is sent again",
    SealedIsAddedTo: "what happens is added to a mailing that is being sent",
    MailingUnannounced: "a mailing is written without the message that it is sent by",
    WindowByNow: "an end goes into the digest of the moment instead of its own",
    EndIsNotHeeded: "an attempt's end replaces an end that was written before",
    FailedIsNoEnd: "an attempt works on a stage that has failed for good",
    AnnouncedOverEnd: "a late attempt announces itself over an end",
    FacetForgotten: "a stage is done without what it found out",
    ErrorIsDone: "a stage's error is logged and its message acknowledged",
    FailureIsEnd: "a failed attempt is written down as the stage's failure, and its message acknowledged",
    RetryIsNotCounted: "a retry does not count as another asking",
    CopyOfNewest: "a copy takes the upload key's newest version",
    ForgetsNewest: "the upload key's newest version is removed instead of the one that was taken in",
    KeptIsUnverified: "an original is taken for kept before it is copied",
    RedriveForgetsFirst: "a redrive removes the letter, then asks again",
    RedriveResends: "a redrive sends the dead message again and leaves the stage failed",
    ForeignDeadline: "the time that is left is told by comparing two clocks",
    FailureIsAcknowledged: "failed messages are reported as done",
    PanicEndsBatch: "a panic ends the function instead of failing its message",
    StreamGoesOn: "what a batch of the stream did not send is not begun again",
    DispatchReadsAgain: "the dispatcher compares the record's image with the item as it reads it now",
    DispatchSendsOneStage: "the dispatcher acknowledges once the first stage has its jobs",
    ForgetBeforeRecord: "an upload is removed before its item is written",
    PlaceholderStays: "the placeholder of an upload that got through stays",
    ArrivalIsLost: "the same bytes under another name are not added to the item",
    AdmittedAfresh: "the same bytes again begin the item anew",
    NewNameIsNotRead: "a photo's new name does not have its metadata read again",
    AnnouncedLate: "photos and sidecars meet only when their items are there",
    PlaceholderUnasked: "a placeholder is written without asking for the upload",
    FailsWhatEnded: "a dead letter fails a stage that has ended",
    FailsOutdated: "a dead letter of an earlier asking fails the stage",
    FailuresRevive: "a failure asks for the telling again",
    LetterOfEnded: "a dead letter is kept although its stage has ended well",
    NoLetter: "a failure is written down and its message thrown away",
    RecordsBeforeTelling: "the telling is recorded, then done",
    TellingErrorIsDone: "a digest that could not be written is taken for told",
    DerivativeByAttempt: "each attempt stores its files under a key of its own",
    StoreErrorIsDone: "a file that could not be stored is taken for stored",
    StalledIsLeft: "an item without progress is passed over",
    TimelineUnguarded: "a change of a timeline replaces what another writer made of it since",
    OldPlaceStays: "an item that is placed anew keeps its old place too",
    OldDayStays: "an item that is placed anew stays counted for the day and place that it had",
    NextIsUndecided: "where an item comes between two others, what follows it is not decided anew",
    RestoredIsLetGo: "clean-up lets go of an item that was restored since it was read",
    LeavingIsTaken: "an upload is taken for kept while clean-up removes the same bytes",
    FilesBeforeMark: "clean-up removes an item's files before the item is marked as leaving",
    ReferencedIsStale: "clean-up takes a derivative that its item names for stale",
    CountUnguarded: "a count of pictures whose condition failed is taken for written",
    CountsAfterwards: "a picture is counted after it was looked at",
    SeenIsNotKept: "what a recogniser saw is not kept for the next attempt",
    StreamIsForgotten: "a redrive of the stream forgets its letters and sends nothing",
}

#[cfg(not(feature = "mutants"))]
/// Whether this fault is switched on: never.
pub const fn mutated(_: Mutant) -> bool {
    false
}

#[cfg(feature = "mutants")]
pub use switched::{mutate, mutated};

#[cfg(feature = "mutants")]
mod switched {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static CURRENT: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Switches a fault on for this thread, or none.
    pub fn mutate(mutant: Option<Mutant>) {
        CURRENT.set(mutant);
    }

    /// Whether this fault is switched on.
    pub fn mutated(mutant: Mutant) -> bool {
        CURRENT.get() == Some(mutant)
    }
}
