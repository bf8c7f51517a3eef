//! Rules about single items: messages of errors, defaults of configurations, names of tests.

use syn::visit::{self, Visit};
use syn::{Attribute, Field, Fields, Meta};

use super::Finding;
use super::reach;
use super::sources::{Source, is_test};

pub fn check(source: &Source) -> Vec<Finding> {
    let mut visitor = Visitor {
        source,
        configuration: reach::is_configuration(&source.path) && !source.test,
        findings: Vec::new(),
    };
    visitor.visit_file(&source.syntax);
    visitor.findings
}

struct Visitor<'a> {
    source: &'a Source,
    configuration: bool,
    findings: Vec<Finding>,
}

impl Visitor<'_> {
    fn report(&mut self, span: proc_macro2::Span, rule: &'static str, text: impl Into<String>) {
        let line = span.start().line;
        let finding = Finding::new(&self.source.path, line, rule, text);
        self.findings.push(finding);
    }

    /// What is printed once as the message is printed again as its source.
    fn message(&mut self, attributes: &[Attribute], fields: &Fields) {
        let told = |field: &Field| {
            let is_source =
                |a: &Attribute| a.path().is_ident("source") || a.path().is_ident("from");
            field.attrs.iter().any(is_source)
        };
        let unnamed = matches!(fields, Fields::Unnamed(_)) && fields.iter().any(told);
        for attribute in attributes.iter().filter(|a| a.path().is_ident("error")) {
            let Meta::List(list) = &attribute.meta else {
                continue;
            };
            let message = list.tokens.to_string();
            if message.contains("{source") || unnamed && message.contains("{0") {
                let text = "the message repeats its source; who prints an error prints both";
                self.report(attribute.pound_token.span, "error", text);
            }
        }
    }

    fn derives(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|a| a.path().is_ident("derive")) {
            let Meta::List(list) = &attribute.meta else {
                continue;
            };
            let tokens = list.tokens.to_string();
            if self.configuration && tokens.split(',').any(|name| name.trim() == "Default") {
                let text = "a second place for defaults; they are in the schema alone";
                self.report(attribute.pound_token.span, "default", text);
            }
        }
    }

    fn name(&mut self, attributes: &[Attribute], name: &syn::Ident) {
        let test = attributes
            .iter()
            .any(|attribute| attribute.path().is_ident("test"));
        let text = name.to_string();
        if test && (!text.contains('_') || text.starts_with("test_")) {
            let text = format!("`{text}` does not say which thing does what, and when");
            self.report(name.span(), "test", text);
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.derives(&item.attrs);
        for variant in &item.variants {
            self.message(&variant.attrs, &variant.fields);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.derives(&item.attrs);
        self.message(&item.attrs, &item.fields);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let of_default = item
            .trait_
            .as_ref()
            .and_then(|(_, path, _)| path.segments.last())
            .is_some_and(|segment| segment.ident == "Default");
        if self.configuration && of_default {
            let text = "a second place for defaults; they are in the schema alone";
            self.report(item.impl_token.span, "default", text);
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.name(&function.attrs, &function.sig.ident);
        visit::visit_item_fn(self, function);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let configuration = self.configuration;
        self.configuration &= !is_test(&module.attrs);
        visit::visit_item_mod(self, module);
        self.configuration = configuration;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::check;
    use crate::tidy::sources::Source;

    fn rules(path: &str, text: &str) -> Vec<(&'static str, bool)> {
        let source = Source::parse(Path::new(path), text, false).expect("valid");
        let findings = check(&source).into_iter();
        findings
            .map(|finding| (finding.rule, finding.warning))
            .collect()
    }

    #[test]
    fn messages_that_repeat_their_source_are_found() {
        let with = |message: &str| {
            format!("#[derive(Error)] enum E {{ #[error(\"{message}\", a)] A {{ source: B }} }}")
        };
        assert_eq!(
            rules("xtask/src/a.rs", &with("bad: {source}")),
            [("error", false)]
        );
        let unnamed =
            |message: &str, field: &str| format!("enum E {{ #[error({message})] A({field}) }}");
        let (repeats, from) = ("\"bad: {0}\"", "#[from] B");
        let found = rules("xtask/src/a.rs", &unnamed(repeats, from));
        assert_eq!(found, [("error", false)]);
        for (message, field) in [(repeats, "String"), ("transparent", from)] {
            assert_eq!(rules("xtask/src/a.rs", &unnamed(message, field)), []);
        }
        assert_eq!(rules("xtask/src/a.rs", &with("cannot open {path}")), []);
    }

    #[test]
    fn configurations_with_defaults_are_found() {
        let derived = "#[derive(Clone, Default)] struct A;";
        let written = "impl Default for A { fn default() -> A { A } }";
        for text in [derived, written] {
            assert_eq!(
                rules("host/system/src/description.rs", text),
                [("default", false)]
            );
            assert_eq!(
                rules("host/system/src/schema/a.rs", text),
                [("default", false)]
            );
            assert_eq!(rules("host/system/src/run.rs", text), []);
        }
        let test = format!("#[cfg(test)] mod tests {{ {derived} }}");
        assert_eq!(rules("host/system/src/description.rs", &test), []);
    }

    #[test]
    fn names_of_tests_that_say_too_little_are_found() {
        assert_eq!(
            rules("xtask/src/a.rs", "#[test] fn works() {}"),
            [("test", false)]
        );
        assert_eq!(
            rules("xtask/src/a.rs", "#[test] fn test_it_works() {}"),
            [("test", false)]
        );
        assert_eq!(
            rules(
                "xtask/src/a.rs",
                "#[test] fn device_conforms() {} fn test_a() {}"
            ),
            []
        );
    }
}
