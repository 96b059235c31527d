//! Recipes: by what a stage's output was made. What was made by another recipe is stale.

use std::{fmt, sync::LazyLock};

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::{Outputs, Rendition, STAGES, Sought, Stage, StageSpec};

/// What a vault chose of what can be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The derivatives of a photo.
    pub outputs: Outputs,
    /// When a video gets a copy for browsers.
    pub rendition: Rendition,
    /// What pictures are looked at for.
    pub sought: Sought,
}

impl Choices {
    /// Those that the output of a stage depends on.
    fn of(&self, stage: Stage) -> String {
        match stage {
            Stage::Thumbnail => format!("{:?}", self.outputs),
            Stage::Video => format!("{:?}", self.rendition),
            Stage::Tag => self.sought.to_string(),
            Stage::Validate | Stage::Metadata | Stage::Memories | Stage::Notify => String::new(),
        }
    }
}

/// A hash of a stage's algorithm version and settings, and one of what the vault chose: six hexadecimal digits each. Another
/// recipe means stale.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recipe(String);

impl Recipe {
    fn of(spec: &StageSpec, choices: &Choices) -> Self {
        let hash = |text: String| hex::encode(&sha2::Sha256::digest(text)[..3]);
        Self(hash(format!("{}/{}/{}", spec.stage.name(), spec.algorithm, (spec.settings)())) + &hash(choices.of(spec.stage)))
    }

    /// Whether it is of the stage as it works now, whatever the vault chose: a message that comes twice finds its work done
    /// although the choice has changed in between.
    pub fn is_of(&self, stage: Stage) -> bool {
        self.0.get(..6) == stage.recipe().0.get(..6)
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Stage {
    /// What its output would be made by now in a vault that chose so.
    pub fn recipe_of(self, choices: &Choices) -> Recipe {
        if *choices == Choices::default() { self.recipe() } else { Recipe::of(self.spec(), choices) }
    }

    /// The same in a vault that chose nothing: what a stage that has not ended is planned by.
    pub fn recipe(self) -> Recipe {
        static RECIPES: LazyLock<Vec<Recipe>> =
            LazyLock::new(|| STAGES.iter().map(|spec| Recipe::of(spec, &Choices::default())).collect());
        RECIPES[self as usize].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Recognise, When};

    #[test]
    fn a_choice_is_part_of_the_recipe_of_what_it_changes() {
        let usual = Choices::default();
        let small = Choices { outputs: Outputs::JPEG, ..usual };
        let never = Choices { rendition: Rendition { when: When::Never, ..usual.rendition }, ..usual };
        let faces = Choices { sought: Recognise::Faces.into(), ..usual };
        for stage in STAGES.iter().map(|spec| spec.stage) {
            assert_eq!(stage.recipe_of(&usual), stage.recipe());
            assert_eq!(stage.recipe_of(&small) != stage.recipe(), stage == Stage::Thumbnail);
            assert_eq!(stage.recipe_of(&never) != stage.recipe(), stage == Stage::Video);
            assert_eq!(stage.recipe_of(&faces) != stage.recipe(), stage == Stage::Tag);
            assert!(stage.recipe_of(&small).is_of(stage) && stage.recipe_of(&never).is_of(stage));
            assert!(STAGES.iter().all(|other| other.stage == stage || !stage.recipe().is_of(other.stage)));
        }
    }
}
