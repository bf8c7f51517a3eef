//! The bytes that other implementations of the protocol exchange.

use maquette_virtio_sst_protocol::layout::{
    ComputeAnswer, ComputeView, Config, Event, InfoAnswer, MAX_COMPUTE_UNITS, MEMORY_SIZE,
    RequestHeader, ResponseHeader, VERSION, feature, kind, status,
};
use maquette_virtio_sst_protocol::peer::{Request, Response};
use maquette_virtio_sst_protocol::register::{RegisterRequest, RegisterResponse, access};
use sha2::{Digest, Sha256};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| *byte != b' ').collect();
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("hexadecimal")
        })
        .collect()
}

/// The message begins with these bytes, has this size, and is zero after them.
fn assert_begins(message: &[u8], size: usize, hex: &str) {
    let beginning = bytes(hex);
    assert_eq!(message.len(), size);
    assert_eq!(&message[..beginning.len()], beginning);
    assert!(message[beginning.len()..].iter().all(|byte| *byte == 0));
}

fn request(kind: u32, id: u64, user_data: u64, payload: &[u8]) -> Request {
    let header = RequestHeader {
        kind,
        flags: 0,
        request_id: id,
        user_data,
    };
    Request {
        header,
        payload: payload.to_vec(),
    }
}

#[test]
fn sst_p01_structures_have_the_sizes_of_the_original() {
    let sizes = [
        request(0, 0, 0, &[]).to_raw().len(),
        Response::default().to_raw().len(),
        Event::SIZE,
        Config::SIZE,
        RegisterRequest::SIZE,
        RegisterResponse::SIZE,
    ];
    assert_eq!(sizes, [4104, 4112, 24, 24, 20, 16]);
}

#[test]
fn sst_p01_compute_and_its_answer() {
    let work = ComputeView {
        units: 1000,
        ..ComputeView::default()
    };
    let raw = request(kind::COMPUTE, 4, 0xABCD, &work.encode()).to_raw();
    assert_begins(
        &raw,
        4104,
        "02000000 00000000 0400000000000000 cdab000000000000 e803000000000000 00000000 00000000",
    );
    assert_eq!(Sha256::digest(&raw)[..8], bytes("f8a9fd02c07be438"));

    let mut answer = Request::from_bytes(&raw).answer(status::OK);
    answer.header.result = 100_000;
    let cycles = ComputeAnswer {
        cycles: 100_000,
        timestamp: 0,
    };
    answer.payload = cycles.encode().to_vec();
    assert_begins(
        &answer.to_raw(),
        4112,
        "00000000 00000000 0400000000000000 cdab000000000000 a086010000000000 a086010000000000",
    );
}

#[test]
fn echo_carries_its_text() {
    let raw = request(kind::ECHO, 2, 0x5678, b"Hello SST!").to_raw();
    assert_begins(
        &raw,
        4104,
        "01000000 00000000 0200000000000000 7856000000000000 48656c6c6f2053535421",
    );
}

#[test]
fn information_and_configuration() {
    let mut answer = request(kind::GET_INFO, 3, 0, &[]).answer(status::OK);
    let info = InfoAnswer {
        version: VERSION,
        capabilities: 0,
        max_compute_units: MAX_COMPUTE_UNITS,
        memory_size: MEMORY_SIZE,
    };
    answer.payload = info.encode().to_vec();
    assert_begins(
        &answer.to_raw(),
        4112,
        "00000000 00000000 0300000000000000 0000000000000000 0000000000000000 00000100 00000000 \
         40420f0000000000 0000001000000000",
    );
    let config = Config {
        version: VERSION,
        device_id: 0,
        features: feature::ALONE,
        max_queues: 1,
    };
    assert_eq!(
        config.encode().to_vec(),
        bytes("00000100 00000000 2700000000000000 0100000000000000")
    );
    assert_eq!((feature::ALONE, feature::CONNECTED), (0x27, 0x2F));
}

#[test]
fn register_write_and_its_answer() {
    let write = RegisterRequest {
        kind: access::WRITE,
        size: 4,
        reserved: 0,
        address: 0x1020_0000,
        data: 0xDEAD_BEEF,
    };
    let raw = write.encode();
    assert_eq!(
        raw.to_vec(),
        bytes("01 04 0000 0000201000000000 efbeadde00000000")
    );
    assert_eq!(RegisterRequest::decode(&raw), write);
    assert_eq!(
        RegisterResponse::done(0xDEAD_BEEF).encode().to_vec(),
        bytes("01 00000000000000 efbeadde00000000")
    );
    assert_eq!(RegisterResponse::refused().encode(), [0; 16]);
}

#[test]
fn messages_cut_short_read_as_zero() {
    let header = RequestHeader::decode(&[2, 0, 0]);
    assert_eq!(header.kind, 2);
    assert_eq!(header.user_data, 0);
    assert_eq!(ResponseHeader::decode(&[]), ResponseHeader::default());
}
