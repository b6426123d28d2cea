// SPDX-License-Identifier: GPL-2.0
//! Which file of a crate imports which, read from the sources as the compiler reads them.
//!
//! A file that declares a module does not import it, and one that only hands a name of a module of its own on
//! (`pub use child::Name`) does not either: whoever takes that name imports the file it comes from.

use std::collections::{BTreeMap, BTreeSet};

use syn::{parse::Parser, punctuated::Punctuated, visit::Visit};

/// The files of a crate, by their paths from the crate's own directory.
pub struct Crate {
    files: BTreeMap<String, File>,
}

#[derive(Default)]
struct File {
    module: Vec<String>,
    /// What it names: whole paths, from the crate's root.
    paths: BTreeSet<Vec<String>>,
    /// Names of its own modules' that it hands on, and where they come from; `*` for all.
    handed_on: Vec<(String, Vec<String>)>,
}

impl Crate {
    /// Reads a crate whose root file is `root`; `read` reads one of `files`, whose paths begin where `root`'s
    /// does.
    pub fn new(root: &str, files: &[String], read: impl Fn(&str) -> String) -> Self {
        let mut crate_files = BTreeMap::new();
        for name in files {
            let text = read(name);
            let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            let module = if name == root { vec![] } else { module_of(name) };
            let mut file = File { module, ..File::default() };
            let children = children(&parsed);
            // Once for what is imported, and again for what is named by it.
            let mut aliases = BTreeMap::new();
            for _ in 0..2 {
                let mut visitor =
                    Visitor { file: &mut file, children: &children, aliases: &mut aliases };
                visitor.visit_file(&parsed);
            }
            crate_files.insert(name.clone(), file);
        }
        Self { files: crate_files }
    }

    /// Every import: who imports whom.
    pub fn imports(&self) -> BTreeSet<(&str, &str)> {
        let mut imports = BTreeSet::new();
        for (name, file) in &self.files {
            for path in &file.paths {
                if let Some(other) = self.file_of(path, 0) {
                    if other != name {
                        imports.insert((name.as_str(), other));
                    }
                }
            }
        }
        imports
    }

    /// The file that a path leads to.
    fn file_of(&self, path: &[String], depth: usize) -> Option<&str> {
        assert!(depth < 10, "{path:?} is handed on in a circle");
        let found = (0..=path.len()).rev().find_map(|len| {
            let module = &path[..len];
            let found = self.files.iter().find(|(_, file)| file.module == module)?;
            Some((found, &path[len..]))
        });
        let ((name, file), rest) = found?;
        // The module itself.
        let Some(first) = rest.first() else { return Some(name) };
        for (handed, from) in &file.handed_on {
            if handed == first {
                let onward = from.iter().chain(&rest[1..]).cloned().collect::<Vec<_>>();
                return self.file_of(&onward, depth + 1);
            }
        }
        Some(name)
    }

    /// Files that import each other in a circle, one circle for each that there is.
    pub fn circles(&self) -> Vec<Vec<&str>> {
        let imports = self.imports();
        let reach = |from: &str| {
            let mut seen = BTreeSet::new();
            let mut todo = vec![from];
            while let Some(at) = todo.pop() {
                for (_, to) in imports.iter().filter(|(a, _)| *a == at) {
                    if seen.insert(*to) {
                        todo.push(to);
                    }
                }
            }
            seen
        };
        let mut circles: Vec<Vec<&str>> = vec![];
        for name in self.files.keys() {
            if circles.iter().flatten().any(|known| known == name) {
                continue;
            }
            let there = reach(name);
            if there.contains(name.as_str()) {
                let back = |other: &&str| reach(other).contains(name.as_str());
                circles.push(there.iter().copied().filter(back).collect());
            }
        }
        circles
    }
}

/// The module that a file is, by its path: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module_of(name: &str) -> Vec<String> {
    let path = name.strip_suffix(".rs").unwrap_or(name);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = quote::quote!(#attribute).to_string();
        text.contains("cfg (test)") || text == "# [test]"
    })
}

/// The modules that a file declares, test modules left out.
fn children(file: &syn::File) -> BTreeSet<String> {
    let module = |item: &syn::Item| match item {
        syn::Item::Mod(module) if !is_test(&module.attrs) => Some(module.ident.to_string()),
        _ => None,
    };
    file.items.iter().filter_map(module).collect()
}

struct Visitor<'a> {
    file: &'a mut File,
    children: &'a BTreeSet<String>,
    /// What was imported, by the name that it has here.
    aliases: &'a mut BTreeMap<String, Vec<String>>,
}

impl Visitor<'_> {
    /// A path as it is written, from the crate's root; `None` where it leads out of the crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = match path.first()?.as_str() {
            "crate" | "$crate" => vec![],
            "self" => self.file.module.clone(),
            "super" => self.file.module.clone(),
            name if self.children.contains(name) => {
                let mut base = self.file.module.clone();
                base.extend_from_slice(path);
                return Some(base);
            }
            name => {
                let mut base = self.aliases.get(name)?.clone();
                base.extend_from_slice(&path[1..]);
                return Some(base);
            }
        };
        let supers = path.iter().take_while(|segment| *segment == "super").count();
        for _ in 0..supers {
            base.pop()?;
        }
        base.extend_from_slice(&path[supers.max(1)..]);
        Some(base)
    }

    fn name(&mut self, path: &[String]) {
        if let Some(path) = self.absolute(path) {
            self.file.paths.insert(path);
        }
    }

    fn use_tree(&mut self, tree: &syn::UseTree, path: &[String], public: bool) {
        let with = |name: &syn::Ident| {
            let mut path = path.to_vec();
            path.push(name.to_string());
            path
        };
        match tree {
            syn::UseTree::Path(inner) => self.use_tree(&inner.tree, &with(&inner.ident), public),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.use_tree(tree, path, public));
            }
            syn::UseTree::Name(name) if name.ident == "self" => self.leaf(path, None, public),
            syn::UseTree::Name(name) => self.leaf(&with(&name.ident), None, public),
            syn::UseTree::Rename(name) => {
                self.leaf(&with(&name.ident), Some(name.rename.to_string()), public);
            }
            syn::UseTree::Glob(_) => self.leaf(path, None, public),
        }
    }

    fn leaf(&mut self, path: &[String], renamed: Option<String>, public: bool) {
        let name = renamed.or_else(|| path.last().cloned());
        // A module of one's own that is handed on.
        let own = path.first().filter(|first| *first != "self").or(path.get(1));
        if public && path.len() > 1 && own.is_some_and(|own| self.children.contains(own)) {
            if let (Some(name), Some(from)) = (name.clone(), self.absolute(path)) {
                self.file.handed_on.push((name, from));
                return;
            }
        }
        if let (Some(name), Some(from)) = (name, self.absolute(path)) {
            self.aliases.insert(name, from);
        }
        self.name(path);
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.use_tree(&item.tree, &[], public);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if segments.len() > 1 {
            self.name(&segments);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // Most macros take expressions.
        let arguments = Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = arguments.parse2(call.tokens.clone()) {
            // What they name may be ours, too.
            let mut inner = Visitor {
                file: &mut *self.file,
                children: self.children,
                aliases: &mut *self.aliases,
            };
            for argument in &arguments {
                syn::visit::visit_expr(&mut inner, argument);
            }
        }
        syn::visit::visit_macro(self, call);
    }
}
