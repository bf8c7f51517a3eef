//! Every device passes the checks that hold for all devices.

use std::path::Path;

use syn::{Item, Type};

use super::Finding;
use super::sources::Source;

const PACKAGES: [&str; 3] = ["host/devices", "host/pci", "host/virtio"];
/// What a device implements.
const TRAITS: [&str; 2] = ["Device", "VirtioDevice"];

/// Devices that no `conformance!` names.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let of_devices = |s: &&Source| PACKAGES.iter().any(|p| s.package() == Path::new(p));
    let sources: Vec<&Source> = sources.iter().filter(of_devices).collect();
    let instances: Vec<String> = sources.iter().flat_map(|s| instances(&s.lines)).collect();
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.test) {
        for (line, name) in devices(&source.syntax) {
            if !instances.iter().any(|text| names(text, &name)) {
                let text = format!(
                    "`{name}` is a device; instantiate `conformance!` (or `virtio_conformance!`) for it"
                );
                findings.push(Finding::new(&source.path, line, "conformance", text));
            }
        }
    }
    findings
}

/// The types that are devices, each with its line. A box around a device is none.
fn devices(file: &syn::File) -> Vec<(usize, String)> {
    let device = |item: &Item| {
        let Item::Impl(item) = item else { return None };
        let (_, path, _) = item.trait_.as_ref()?;
        let of = &path.segments.last()?.ident;
        let line = of.span().start().line;
        let Type::Path(path) = &*item.self_ty else {
            return None;
        };
        let name = path.path.segments.last()?.ident.to_string();
        let found = TRAITS.iter().any(|t| of == t) && name != "Box";
        found.then_some((line, name))
    };
    file.items.iter().filter_map(device).collect()
}

/// The texts between `conformance!(` and the `);` that ends it.
fn instances(lines: &[String]) -> Vec<String> {
    let text = lines.join("\n");
    let calls = text.split("conformance!(").skip(1);
    calls
        .map(|call| call.split(");").next().unwrap_or(call).to_owned())
        .collect()
}

fn names(text: &str, name: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let path = Path::new("host/devices/src/x.rs");
        let source = Source::parse(path, text, false).expect("Rust");
        let findings = check(&[source]).into_iter();
        findings.map(|f| f.text).collect()
    }

    #[test]
    fn rv_54_device_without_conformance_is_told() {
        let device = "impl<D: X> maquette_model::Device for Clock<D> {}\n";
        assert_eq!(found(device).len(), 1);
        assert!(found(device)[0].starts_with("`Clock` is a device"));
        let other = format!("{device}conformance!(clock, || OtherClock, OtherClock::SIZE);");
        assert_eq!(found(&other).len(), 1);
        let good = format!("{device}conformance!(clock, || Clock::new(1), Clock::SIZE);");
        assert_eq!(found(&good), [""; 0]);
        assert_eq!(
            found("impl VirtioDevice for Box<T> {}\nimpl Clone for Y {}"),
            [""; 0]
        );
    }
}
