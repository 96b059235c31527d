//! What PhotoVault talks about: ids, keys, the media item with its ledger, and the pipeline table.
//!
//! No async, no AWS, no codecs: everything here is data and pure functions over it.

mod backup;
mod cell;
mod derivatives;
mod facts;
mod format;
mod hidden;
mod ids;
mod job;
mod joined;
mod keys;
mod ledger;
pub mod limits;
mod look;
mod mark;
mod media;
mod moderation;
mod namesakes;
mod people;
mod pipeline;
mod point;
mod prices;
mod processing;
mod recipe;
mod recognising;
mod rendition;
mod scan;
mod tags;
mod taken;
mod tally;
mod telling;
mod time;
mod trace;
mod trash;
mod video;

pub use backup::{Line, Manifest, Replay, Retention, Segment};
pub use cell::{CELL_RESOLUTION, Cell, NoCell};
pub use derivatives::{DERIVATIVE_SIZES, DerivativeSize, FULL_SIZE, LARGEST_SIDE, Outputs, UnknownOutput, fit};
pub use facts::{
    Camera, Captured, Confidence, Derivative, Derivatives, Exposure, Facet, Facts, GainMap, Lens, Located, Motion, Place,
    Position, Region, Town,
};
pub use format::{Format, Kind};
pub use hidden::Hidden;
pub use ids::{IdError, MediaId, Sha256, UserId};
pub use job::{Job, Letter, LetterId};
pub use joined::Merge;
pub use keys::{UploadKey, checkpoint_prefix, derivative_key, derivative_prefix, kept_bytes, original_key, quarantine_key};
pub use ledger::{Entry, Progress, State};
pub use look::{Colour, DHash, Hex, Look, PHash};
pub use mark::{is_mark_of, mark_by, mark_in, origin_of, splits_in, splits_of, words_of};
pub use media::{MAX_UPLOADS_KEPT, Media, Refusal, Status, Upload};
pub use moderation::{Moderation, ModerationLabel};
pub use namesakes::{Namesakes, Sidecar, beside, stem, stem_key};
pub use people::{PeopleEdit, Shown};
pub use pipeline::{Needs, STAGES, Stage, StageSpec, next_stages, open_stages};
pub use point::Point;
pub use prices::{Billed, PRICES, PRICES_READ, Price};
pub use processing::{Mode, Processing, UnknownMode, predicted_work_s};
pub use recipe::{Choices, Recipe};
pub use recognising::{Recognise, Recognising, Sought, UnknownRecognise};
pub use rendition::{Rendition, UnknownPolicy, When};
pub use scan::{Scan, Scanner, UnknownScanner};
pub use tags::{Area, Face, Label, LabelKind, Tags, Word};
pub use taken::{Boundary, Edit, Placed, Rewrite, Taken, timeline_key};
pub use tally::{Counted, CountedStage, Counts, Group, TRASH, Tally, hour_of, kind_of_reason};
pub use telling::{BATCH_S, BadPreference, Channel, Medium, News, NewsOf, Notice, Preferences, QuietHours, Subject, Zone};
pub use time::{DAY_MS, Until, UtcMs, date_of_day, day_of_date, local_of_seconds, local_seconds};
pub use trace::{SpanId, TraceId, cause};
pub use video::{Hdr, MovingPicture, Sound, Video, VideoFacet};
