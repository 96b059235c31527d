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
    /// Whether it takes bytes as they are, and makes small numbers of them itself.
    pub(crate) normalises: bool,
}

/// Nodes at a network's beginning among which it would do that, as InsightFace's own loader looks for it.
const FIRST_NODES: usize = 8;
/// Fields of ONNX's messages: a model's graph, a graph's nodes, a node's kind.
const GRAPH: u64 = 7;
const NODE: u64 = 1;
const KIND: u64 = 4;

impl Network {
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, ModelError> {
        let normalises = normalises(&bytes);
        let model = Model::load(bytes).map_err(|error| ModelError::Unreadable(error.to_string()))?;
        match model.input_ids() {
            [_] => Ok(Self { model, normalises }),
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

/// Whether a model begins with taking a mean away and scaling. `rten` has merged its nodes, so the file is asked.
fn normalises(model: &[u8]) -> bool {
    let of = |message, field| parts(message).filter(move |(own, _)| *own == field).map(|(_, part)| part);
    let nodes = of(model, GRAPH).flat_map(|graph| of(graph, NODE)).take(FIRST_NODES);
    let kinds: Vec<&[u8]> = nodes.flat_map(|node| of(node, KIND)).collect();
    kinds.contains(&&b"Sub"[..]) && (kinds.contains(&&b"Mul"[..]) || kinds.contains(&&b"Div"[..]))
}

/// The fields of a message of Protocol Buffers that have a length, up to where it is broken.
fn parts(mut message: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        loop {
            let tag = varint(&mut message)?;
            match tag & 7 {
                0 => {
                    varint(&mut message)?;
                }
                1 => message = message.get(8..)?,
                2 => {
                    let length = usize::try_from(varint(&mut message)?).ok()?;
                    let (part, rest) = message.split_at_checked(length)?;
                    message = rest;
                    return Some((tag >> 3, part));
                }
                5 => message = message.get(4..)?,
                _ => return None,
            }
        }
    })
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 127) << shift;
        if *byte < 128 {
            return Some(number);
        }
    }
    None
}
