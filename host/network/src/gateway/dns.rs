//! Names: the gateway's own are answered here (RFC 1035).

use crate::{GATEWAY_IP, NAMES};
use smoltcp::wire::{DnsFlags, DnsOpcode, DnsPacket, DnsQueryType, DnsQuestion, DnsRcode};

pub(super) const PORT: u16 = 53;

/// How long an answer may be kept, in seconds.
const KEEP: u32 = 60;
/// The longest question that is answered: an ordinary message without extensions.
const LONGEST: usize = 512;
const HEADER: u8 = 12;
/// "The name that stands at the header's end", and class IN (RFC 1035 §4.1.4, §3.2.4).
const SAME_NAME: [u8; 2] = [0xc0, HEADER];
const CLASS_IN: [u8; 2] = [0, 1];

/// The answer to a question for the gateway's names. For any other it is `None` if somebody outside
/// can be asked, and else that there is no such name.
pub(super) fn answer(query: &[u8], outside: bool) -> Option<Vec<u8>> {
    let packet = DnsPacket::new_checked(query).ok()?;
    let is_query = !packet.flags().contains(DnsFlags::RESPONSE);
    if !is_query || packet.opcode() != DnsOpcode::Query || packet.question_count() != 1 {
        return None;
    }
    let (rest, question) = DnsQuestion::parse(packet.payload()).ok()?;
    let len = packet.payload().len().checked_sub(rest.len())?;
    let known = is_own(&packet, &question)?;
    if (!known && outside) || len > LONGEST {
        return None;
    }
    let has_address = known && question.type_ == DnsQueryType::A;
    let mut bytes = query.get(..usize::from(HEADER) + len)?.to_vec();
    if has_address {
        bytes.extend(SAME_NAME);
        bytes.extend(u16::from(DnsQueryType::A).to_be_bytes());
        bytes.extend(CLASS_IN);
        bytes.extend(KEEP.to_be_bytes());
        bytes.extend([0, 4]);
        bytes.extend(GATEWAY_IP.octets());
    }
    let mut out = DnsPacket::new_unchecked(&mut bytes[..]);
    let asked = packet.flags() & DnsFlags::RECURSION_DESIRED;
    // The flags share their word with opcode and outcome: first the whole word, then the outcome.
    out.set_flags(
        DnsFlags::RESPONSE | DnsFlags::AUTHORITATIVE | DnsFlags::RECURSION_AVAILABLE | asked,
    );
    out.set_opcode(DnsOpcode::Query);
    out.set_answer_record_count(u16::from(has_address));
    out.set_authority_record_count(0);
    out.set_additional_record_count(0);
    let rcode = if known {
        DnsRcode::NoError
    } else {
        DnsRcode::NXDomain
    };
    set_rcode(&mut bytes, rcode);
    Some(bytes)
}

/// The low four bits of the flags' second byte (RFC 1035 §4.1.1).
fn set_rcode(bytes: &mut [u8], rcode: DnsRcode) {
    if let Some(byte) = bytes.get_mut(3) {
        *byte = (*byte & 0xf0) | (u8::from(rcode) & 0xf);
    }
}

/// Whether the question is for one of the gateway's names; `None` if it is malformed.
fn is_own(packet: &DnsPacket<&[u8]>, question: &DnsQuestion<'_>) -> Option<bool> {
    let mut name = Vec::new();
    for label in packet.parse_name(question.name) {
        if !name.is_empty() {
            name.push(b'.');
        }
        name.extend(label.ok()?);
    }
    Some(
        NAMES
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own.as_bytes())),
    )
}
