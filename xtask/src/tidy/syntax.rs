//! Rules about what is written inside a file.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use super::Finding;
use super::reach;
use super::sources::{Source, is_test};

const MOST_FUNCTION_LINES: usize = 70;
const MOST_ARGUMENTS: usize = 6;
/// Expecting this lint, with a reason, permits a function that is long by its nature.
const TOO_LONG: &str = "too_many_lines";
/// How far above `unsafe` its statement may begin.
const STATEMENT_LINES: usize = 4;
/// Naming one of these in an `expect` attribute, with a reason, permits the panic below it.
const PERMITS: [&str; 4] = ["unwrap_used", "expect_used", "panic", "unreachable"];

pub fn check(source: &Source) -> Vec<Finding> {
    let package = source.package();
    let mut visitor = Visitor {
        source,
        panics: reach::may_not_panic(&package),
        model: reach::is_model(&package),
        package,
        test: usize::from(source.test),
        permitted: 0,
        findings: Vec::new(),
    };
    visitor.attributes(&source.syntax.attrs);
    visitor.permitted = usize::from(permits_panic(&source.syntax.attrs));
    visitor.visit_file(&source.syntax);
    visitor.findings
}

struct Visitor<'a> {
    source: &'a Source,
    package: std::path::PathBuf,
    /// The package is one in which panics are forbidden.
    panics: bool,
    model: bool,
    /// How many enclosing items are for tests only.
    test: usize,
    /// How many enclosing items or expressions permit panics.
    permitted: usize,
    findings: Vec<Finding>,
}

impl Visitor<'_> {
    fn report(&mut self, span: Span, rule: &'static str, text: impl Into<String>) {
        self.findings.push(Finding::new(
            &self.source.path,
            span.start().line,
            rule,
            text,
        ));
    }

    /// Visits something with attributes, with what they say in force.
    fn within(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        self.attributes(attributes);
        let (test, permitted) = (
            usize::from(is_test(attributes)),
            usize::from(permits_panic(attributes)),
        );
        self.test += test;
        self.permitted += permitted;
        visit(self);
        self.test -= test;
        self.permitted -= permitted;
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            let path = attribute.path();
            if path.is_ident("allow") {
                self.report(
                    attribute.pound_token.span,
                    "suppression",
                    "use `#[expect(…, reason = \"…\")]`, not `allow`",
                );
            } else if path.is_ident("expect") && !has_reason(&attribute.meta) {
                self.report(
                    attribute.pound_token.span,
                    "suppression",
                    "an `expect` attribute without `reason`",
                );
            } else if path.is_ident("ignore") {
                self.report(
                    attribute.pound_token.span,
                    "suppression",
                    "an ignored test proves nothing; remove or fix it",
                );
            }
        }
    }

    fn panicking(&mut self, span: Span, what: &str) {
        if self.panics && self.test == 0 && self.permitted == 0 {
            let text = format!("{what} where a guest or a file can reach; return an error");
            self.report(span, "panic", text);
        }
    }

    fn safety(&mut self, span: Span) {
        let line = span.start().line;
        if !has_safety_comment(&self.source.lines, line) {
            self.report(
                span,
                "safety",
                "`unsafe` without a comment `// SAFETY:` above it",
            );
        }
    }

    fn function(&mut self, block: &syn::Block, signature: &syn::Signature) {
        let end = block.brace_token.span.close().end().line;
        let lines = end + 1 - signature.fn_token.span.start().line;
        if lines > MOST_FUNCTION_LINES {
            let text = format!(
                "`{}` has {lines} lines; split it (at most {MOST_FUNCTION_LINES})",
                signature.ident
            );
            self.report(signature.ident.span(), "length", text);
        }
        let arguments = signature
            .inputs
            .iter()
            .filter(|input| matches!(input, syn::FnArg::Typed(_)))
            .count();
        if arguments > MOST_ARGUMENTS {
            let text = format!(
                "`{}` takes {arguments} arguments (at most {MOST_ARGUMENTS})",
                signature.ident
            );
            self.report(signature.ident.span(), "length", text);
        }
    }

    fn path_words(&mut self, words: &[String], span: Span) {
        if !self.model || self.test > 0 {
            return;
        }
        if let [first, module, ..] = words
            && first == "std"
            && reach::forbidden_module(&self.package, module)
        {
            self.report(
                span,
                "determinism",
                format!("`std::{module}` reaches the host; only `rim` may"),
            );
        }
        let told = words
            .first()
            .is_some_and(|first| reach::is_told_the_time(first));
        for word in words.iter().filter(|_| !told) {
            if let Some(why) = reach::forbidden_type(word) {
                self.report(span, "determinism", format!("`{word}` {why}"));
            }
        }
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.use_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.use_tree(item, before)),
            syn::UseTree::Name(name) => self.used(&name.ident, before),
            syn::UseTree::Rename(rename) => self.used(&rename.ident, before),
            syn::UseTree::Glob(glob) => self.path_words(&before.clone(), glob.star_token.span),
        }
    }

    fn used(&mut self, name: &syn::Ident, before: &[String]) {
        let mut words = before.to_vec();
        words.push(name.to_string());
        self.path_words(&words, name.span());
    }

    fn macro_call(&mut self, path: &syn::Path, tokens: &TokenStream) {
        let Some(span) = last_span(path) else { return };
        let name = path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default();
        match name.as_str() {
            "todo" | "unimplemented" => {
                self.report(span, "stub", format!("`{name}!` is unfinished work"))
            }
            "panic" | "unreachable" => self.panicking(span, &format!("`{name}!`")),
            _ => self.tokens_of_macro(tokens.clone()),
        }
    }

    /// Inside a macro's arguments there is no syntax tree; the plain signs are still found.
    fn tokens_of_macro(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => self.tokens_of_macro(group.stream()),
                TokenTree::Ident(name) => {
                    let bang = matches!(trees.get(at + 1), Some(TokenTree::Punct(sign)) if sign.as_char() == '!');
                    if bang && (name == "todo" || name == "unimplemented") {
                        self.report(name.span(), "stub", format!("`{name}!` is unfinished work"));
                    }
                    let dot = at > 0
                        && matches!(&trees[at - 1], TokenTree::Punct(sign) if sign.as_char() == '.');
                    if dot && name == "unwrap" {
                        self.panicking(name.span(), "`unwrap`");
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = item_attributes(item);
        self.within(attributes, |this| visit::visit_item(this, item));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.within(&function.attrs, |this| {
            this.function(&function.block, &function.sig);
            visit::visit_impl_item_fn(this, function);
        });
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.within(&function.attrs, |this| {
            if let Some(block) = &function.default {
                this.function(block, &function.sig);
            }
            visit::visit_trait_item_fn(this, function);
        });
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !expects(&function.attrs, &[TOO_LONG]) {
            self.function(&function.block, &function.sig);
        }
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if item.unsafety.is_some() {
            self.safety(item.impl_token.span);
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        self.within(&local.attrs, |this| visit::visit_local(this, local));
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.safety(block.unsafe_token.span);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        let attributes = expression_attributes(expression);
        self.within(attributes, |this| visit::visit_expr(this, expression));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let only = call.args.first().filter(|_| call.args.len() == 1);
        let is_text = matches!(
            only,
            Some(Expr::Lit(ExprLit {
                lit: Lit::Str(_),
                ..
            }))
        );
        if call.method == "unwrap" && call.args.is_empty() {
            self.panicking(call.method.span(), "`unwrap`");
        } else if call.method == "expect" && is_text {
            self.panicking(call.method.span(), "`expect`");
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.macro_call(&call.path, &call.tokens);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        let Some(span) = last_span(path) else { return };
        self.path_words(&words, span);
        if words.ends_with(&["thread".to_owned(), "sleep".to_owned()]) && self.test > 0 {
            self.report(
                span,
                "waiting",
                "a test that sleeps is slow or wrong; wait for the event",
            );
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &mut Vec::new());
    }
}

fn last_span(path: &syn::Path) -> Option<Span> {
    path.segments.last().map(|segment| segment.ident.span())
}

fn permits_panic(attributes: &[Attribute]) -> bool {
    expects(attributes, &PERMITS)
}

/// Whether an `expect` attribute names one of these lints of clippy. That it gives a reason is a rule
/// of its own.
fn expects(attributes: &[Attribute], lints: &[&str]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("expect") => {
            let text = list.tokens.to_string();
            lints
                .iter()
                .any(|name| text.contains(&format!("clippy :: {name}")))
        }
        _ => false,
    })
}

fn has_reason(meta: &Meta) -> bool {
    matches!(meta, Meta::List(list) if list.tokens.to_string().contains("reason ="))
}

/// Looks upward from the line of `unsafe` (counted from 1): over the rest of its statement, then
/// through the comment above it.
fn has_safety_comment(lines: &[String], line: usize) -> bool {
    let is_comment = |text: &str| text.trim_start().starts_with("//");
    let mut code = 0;
    for text in lines[..line.min(lines.len())].iter().rev() {
        if text.contains("SAFETY:") {
            return true;
        }
        if !is_comment(text) {
            code += 1;
            if code > STATEMENT_LINES {
                return false;
            }
        }
    }
    false
}

fn item_attributes(item: &syn::Item) -> &[Attribute] {
    use syn::Item;
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Of the expressions that people put attributes on.
fn expression_attributes(expression: &Expr) -> &[Attribute] {
    match expression {
        Expr::Block(inner) => &inner.attrs,
        Expr::Call(inner) => &inner.attrs,
        Expr::If(inner) => &inner.attrs,
        Expr::Let(inner) => &inner.attrs,
        Expr::Macro(inner) => &inner.attrs,
        Expr::Match(inner) => &inner.attrs,
        Expr::MethodCall(inner) => &inner.attrs,
        Expr::Return(inner) => &inner.attrs,
        Expr::Unsafe(inner) => &inner.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::check;
    use crate::tidy::sources::Source;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let source = Source::parse(Path::new(path), text, false).expect("valid");
        check(&source)
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    const DEVICE: &str = "host/devices/src/a.rs";

    #[test]
    fn panics_are_found_where_guests_reach_and_only_there() {
        let text = "fn f() { a().unwrap(); b().expect(\"x\"); panic!(); unreachable!() }";
        assert_eq!(rules(DEVICE, text), ["panic"; 4]);
        assert_eq!(rules("xtask/src/a.rs", text), [""; 0]);
        assert_eq!(
            rules(DEVICE, &format!("#[cfg(test)] mod tests {{ {text} }}")),
            [""; 0]
        );
        assert_eq!(
            rules(
                DEVICE,
                "fn f() { format!(\"{}\", a().unwrap()); p.expect(Token); }"
            ),
            ["panic"]
        );
    }

    #[test]
    fn panic_with_a_reasoned_expect_is_permitted() {
        let text = "#[expect(clippy::unwrap_used, reason = \"checked\")] fn f() { a().unwrap(); }";
        assert_eq!(rules(DEVICE, text), [""; 0]);
        let statement = "fn f() { #[expect(clippy::expect_used, reason = \"r\")] let a = b.expect(\"c\"); d.unwrap(); }";
        assert_eq!(rules(DEVICE, statement), ["panic"]);
    }

    #[test]
    fn suppressions_need_expect_and_reason() {
        assert_eq!(
            rules("xtask/src/a.rs", "#[allow(dead_code)] fn f() {}"),
            ["suppression"]
        );
        assert_eq!(
            rules("xtask/src/a.rs", "#[expect(dead_code)] fn f() {}"),
            ["suppression"]
        );
        assert_eq!(
            rules("xtask/src/a.rs", "#![allow(dead_code)]"),
            ["suppression"]
        );
        assert_eq!(
            rules("xtask/src/a.rs", "#[test] #[ignore] fn f() {}"),
            ["suppression"]
        );
        assert_eq!(
            rules(
                "xtask/src/a.rs",
                "#[expect(dead_code, reason = \"r\")] fn f() {}"
            ),
            [""; 0]
        );
    }

    #[test]
    fn stubs_are_found_even_inside_macros() {
        assert_eq!(rules("xtask/src/a.rs", "fn f() { todo!() }"), ["stub"]);
        assert_eq!(
            rules("xtask/src/a.rs", "fn f() { vec![unimplemented!()] }"),
            ["stub"]
        );
    }

    #[test]
    fn unsafe_needs_its_comment_directly_above() {
        let bare = "fn f() {\n    unsafe { g() }\n}";
        assert_eq!(rules("xtask/src/a.rs", bare), ["safety"]);
        let told = "fn f() {\n    // SAFETY: g has no conditions,\n    // and here is more of it.\n    let x =\n        unsafe { g() };\n}";
        assert_eq!(rules("xtask/src/a.rs", told), [""; 0]);
        let far = "fn f() {\n    // SAFETY: old\n    a();\n    b();\n    c();\n    d();\n    unsafe { g() }\n}";
        assert_eq!(rules("xtask/src/a.rs", far), ["safety"]);
        assert_eq!(
            rules("xtask/src/a.rs", "unsafe impl Send for A {}"),
            ["safety"]
        );
    }

    #[test]
    fn models_use_no_host_and_no_random_maps() {
        for text in [
            "use std::{collections::HashMap};",
            "use std::time::Instant;",
            "fn f() { std::thread::spawn(g); }",
            "use std::fs;",
            "fn f() -> std::collections::HashSet<u8> { g() }",
        ] {
            assert_eq!(rules(DEVICE, text), ["determinism"], "{text}");
            assert_eq!(rules("host/rim/src/a.rs", text), [""; 0], "{text}");
        }
        let told = "use smoltcp::time::Instant as StackTime;";
        assert_eq!(rules(DEVICE, told), [""; 0]);
    }

    #[test]
    fn long_functions_and_many_arguments_are_found() {
        let body = "    a();\n".repeat(70);
        assert_eq!(
            rules("xtask/src/a.rs", &format!("fn f() {{\n{body}}}")),
            ["length"]
        );
        assert_eq!(
            rules(
                "xtask/src/a.rs",
                &format!("impl A {{ fn f() {{\n{body}}} }}")
            ),
            ["length"]
        );
        let six = "fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8";
        assert_eq!(rules("xtask/src/a.rs", &format!("{six}) {{}}")), [""; 0]);
        assert_eq!(
            rules("xtask/src/a.rs", &format!("{six}, g: u8) {{}}")),
            ["length"]
        );
    }

    #[test]
    fn sleeping_tests_are_found() {
        assert_eq!(
            rules(
                "xtask/src/a.rs",
                "#[test] fn f() { std::thread::sleep(d); }"
            ),
            ["waiting"]
        );
        assert_eq!(
            rules("xtask/src/a.rs", "fn f() { std::thread::sleep(d); }"),
            [""; 0]
        );
    }
}
