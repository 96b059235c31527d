//! A network that can be run: an ONNX file under `rten`, with one picture in and numbers out.

use std::collections::BTreeMap;

use rten::{Dimension, Model};
use rten_tensor::{NdTensor, Tensor, prelude::*};

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ModelError {
    /// Not a whole ONNX file, or one with what the runtime does not know.
    #[error("it is no ONNX model that can be run: {0}")]
    Unreadable(String),
    /// It does not do what is asked of it.
    #[error("it is not the model that is needed: {0}")]
    Unfit(String),
    /// Sizes do not fit each other.
    #[error("it cannot be run: {0}")]
    Run(String),
}

/// A network with its weights.
pub(crate) struct Network {
    model: Model,
}

impl Network {
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, ModelError> {
        let model = Model::load(bytes).map_err(|error| ModelError::Unreadable(error.to_string()))?;
        match model.input_ids() {
            [_] => Ok(Self { model }),
            inputs => Err(ModelError::Unfit(format!("it has {} inputs", inputs.len()))),
        }
    }

    /// The sides of what goes in, where they are fixed.
    pub(crate) fn sides(&self) -> Vec<Option<usize>> {
        let side = |side: &Dimension| if let Dimension::Fixed(side) = side { Some(*side) } else { None };
        self.model.input_shape(0).unwrap_or_default().iter().map(side).collect()
    }

    /// What its maker wrote beside it.
    pub(crate) fn note(&self, name: &str) -> Option<&str> {
        self.model.metadata().get(name)
    }

    /// What comes out, by name.
    pub(crate) fn run(&self, shape: [usize; 4], values: Vec<f32>) -> Result<BTreeMap<&str, Vec<f32>>, ModelError> {
        let failed = |error: &dyn std::fmt::Display| ModelError::Run(error.to_string());
        let input = NdTensor::<f32, 4>::from_data(shape, values);
        let ids = self.model.output_ids();
        let run = self.model.run(vec![(self.model.input_ids()[0], input.into())], ids, None);
        let outputs = run.map_err(|error| failed(&error))?;
        let named = ids.iter().zip(outputs).map(|(id, output)| {
            let name = self.model.node_info(*id).and_then(|node| node.name()).unwrap_or_default();
            let numbers: Tensor<f32> = output.try_into().map_err(|error| failed(&error))?;
            Ok((name, numbers.to_vec()))
        });
        named.collect()
    }
}
