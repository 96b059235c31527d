//! What eyes are tried on: ONNX files written number by number, and a painted face.

use image::{Rgb, RgbImage};

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn number(field: u64, value: i64) -> Vec<u8> {
    [varint(field << 3), varint(value as u64)].concat()
}

fn message(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// An attribute of one whole number.
pub fn whole(name: &str, value: i64) -> Vec<u8> {
    [message(1, name.as_bytes()), number(3, value), number(20, 2)].concat()
}

/// A node with one output.
pub fn node(kind: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| message(1, name.as_bytes()));
    let attributes = attributes.iter().flat_map(|attribute| message(5, attribute));
    inputs.chain(message(2, output.as_bytes())).chain(message(4, kind.as_bytes())).chain(attributes).collect()
}

/// Numbers that a node is made of.
pub fn weight(name: &str, shape: &[i64], values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let shape: Vec<u8> = shape.iter().flat_map(|side| number(1, *side)).collect();
    [shape, number(2, 1), message(8, name.as_bytes()), message(9, &raw)].concat()
}

/// From `x`, whose sides may be left open by -1, to `y`.
pub fn model(nodes: &[Vec<u8>], weights: &[Vec<u8>], sides: &[i64]) -> Vec<u8> {
    let side = |side: &i64| message(1, &if *side > 0 { number(1, *side) } else { message(2, b"any") });
    let shape: Vec<u8> = sides.iter().flat_map(side).collect();
    let kind = message(1, &[number(1, 1), message(2, &shape)].concat());
    let input = [message(1, b"x"), message(2, &kind)].concat();
    let graph = nodes.iter().flat_map(|node| message(1, node));
    let graph = graph.chain(weights.iter().flat_map(|weight| message(5, weight)));
    let graph: Vec<u8> = graph.chain(message(11, &input)).chain(message(12, &message(1, b"y"))).collect();
    [number(1, 8), message(7, &graph)].concat()
}

/// A classifier that tells what is red from what is blue.
pub fn by_colour(sides: &[i64]) -> Vec<u8> {
    let nodes = [
        node("GlobalAveragePool", &["x"], "mean", &[]),
        node("Flatten", &["mean"], "flat", &[]),
        node("Gemm", &["flat", "w", "b"], "y", &[whole("transB", 1)]),
    ];
    let weights = [weight("w", &[2, 3], &[2.0, 0.0, -2.0, -2.0, 0.0, 2.0]), weight("b", &[2], &[0.0, 0.0])];
    model(&nodes, &weights, sides)
}

/// An embedding model to which those are one person whose faces have one tint, whatever the light; one that `normalises` takes whole bytes.
pub fn of_tint(sides: &[i64], normalises: bool) -> Vec<u8> {
    let first = [node("Sub", &["x", "middle"], "less", &[]), node("Mul", &["less", "factor"], "small", &[])];
    let nodes = [
        node("GlobalAveragePool", &[if normalises { "small" } else { "x" }], "mean", &[]),
        node("Flatten", &["mean"], "flat", &[]),
        node("Gemm", &["flat", "w", "b"], "y", &[whole("transB", 1)]),
    ];
    let beside = [weight("middle", &[1], &[127.5]), weight("factor", &[1], &[1.0 / 127.5])];
    let weights =
        [weight("w", &[3, 3], &[2.0, -1.0, -1.0, -1.0, 2.0, -1.0, -1.0, -1.0, 2.0]), weight("b", &[3], &[0.0, 0.0, 0.0])];
    if normalises {
        model(&[&first[..], &nodes].concat(), &[&beside[..], &weights].concat(), sides)
    } else {
        model(&nodes, &weights, sides)
    }
}

/// A picture in coloured light: how much of red, green and blue is left.
pub fn tinted(mut picture: RgbImage, tint: [f32; 3]) -> RgbImage {
    for pixel in picture.pixels_mut() {
        pixel.0 = std::array::from_fn(|part| (f32::from(pixel.0[part]) * tint[part]) as u8);
    }
    picture
}

/// A face seen from the front, before grey: its middle and half its width in pixels.
pub fn painted_face(width: u32, height: u32, [x, y]: [f32; 2], radius: f32) -> RgbImage {
    let within = |at: [f32; 2], middle: [f32; 2], sides: [f32; 2]| {
        ((at[0] - middle[0]) / sides[0]).powi(2) + ((at[1] - middle[1]) / sides[1]).powi(2)
    };
    RgbImage::from_fn(width, height, |column, row| {
        let at = [(column as f32 - x) / radius, (row as f32 - y) / radius];
        let skin = within(at, [0.0, 0.0], [1.0, 1.3]);
        let mirrored = [at[0].abs(), at[1]];
        let eye = within(mirrored, [0.4, -0.25], [0.2, 0.1]);
        let colour = if skin > 1.0 {
            if within(at, [0.0, -0.3], [1.15, 1.25]) < 1.0 { [50.0, 35.0, 25.0] } else { [130.0, 135.0, 140.0] }
        } else if within(mirrored, [0.4, -0.25], [0.08, 0.08]) < 1.0 {
            [35.0, 25.0, 20.0]
        } else if eye < 1.0 {
            [235.0, 230.0, 225.0]
        } else if within(mirrored, [0.4, -0.48], [0.26, 0.06]) < 1.0 {
            [60.0, 40.0, 30.0]
        } else if within(mirrored, [0.09, 0.25], [0.05, 0.04]) < 1.0 {
            [110.0, 70.0, 60.0]
        } else if within(at, [0.0, 0.62], [0.36, 0.1]) < 1.0 {
            [165.0, 70.0, 70.0]
        } else if at[1] < -0.85 {
            [50.0, 35.0, 25.0]
        } else {
            // Lighter in the middle and on the nose, darker around the eyes.
            let light = 1.05 - 0.3 * skin + 0.12 * (-within(at, [0.0, 0.05], [0.12, 0.3])).exp()
                - 0.15 * (-within(mirrored, [0.4, -0.28], [0.3, 0.2])).exp()
                - 0.12 * (-within(at, [0.0, 0.32], [0.25, 0.08])).exp();
            [225.0 * light, 175.0 * light, 145.0 * light]
        };
        Rgb(colour.map(|part| part.clamp(0.0, 255.0) as u8))
    })
}
