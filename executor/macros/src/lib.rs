//! `#[executor::main]` and `#[executor::test]`: an async function, run on a runtime of its own.
//!
//! Reached through the `executor` crate, to whose items the expansion refers by their full paths.

use proc_macro::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, ItemFn, Token, parse_macro_input};

/// What may stand in the parentheses: each is the method of `executor::Builder` of that name.
const NAMES: [&str; 3] = ["cores", "idle", "start_paused"];

/// The arguments in the parentheses, each name once.
struct Arguments {
    settings: Vec<(Ident, Expr)>,
}

impl Arguments {
    fn has(&self, wanted: &str) -> bool {
        self.settings.iter().any(|(name, _)| name == wanted)
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let settings = Vec::new();
        let mut arguments = Self { settings };
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            let text = name.to_string();
            if !NAMES.contains(&&*text) {
                let message = format!(
                    "unknown argument `{text}`; there are `cores = N`, `idle = POLICY` and `start_paused = BOOL`"
                );
                return Err(Error::new(name.span(), message));
            }
            if arguments.has(&text) {
                return Err(Error::new(name.span(), format!("`{text}` is given twice")));
            }
            input.parse::<Token![=]>()?;
            arguments.settings.push((name, input.parse()?));
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

/// Runs the async `main` on core 0 of a runtime with one core for each CPU the process may use.
///
/// `#[executor::main(cores = N, idle = POLICY)]` takes N cores, and has them wait for work as POLICY says; each may be left out. They are any
/// expressions, of type `usize` and `executor::IdlePolicy`. `start_paused = true`, of type `bool`, is for tests. If the runtime cannot start, the process says why and ends with status 1. Main's
/// return value is the program's; a panic in it stops the other cores and is propagated.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as ItemFn);
    expand_main(arguments, &function).unwrap_or_else(|error| {
        let error = error.to_compile_error();
        // With a `main` in its place, the compiler does not complain of that as well.
        let stub = (function.sig.ident == "main").then(|| {
            quote!(
                fn main() {}
            )
        });
        quote!(#error #stub).into()
    })
}

fn expand_main(arguments: TokenStream, function: &ItemFn) -> syn::Result<TokenStream> {
    if function.sig.ident != "main" {
        let message = "#[executor::main] goes on the function `main`; for others there is `executor::Builder`";
        return Err(Error::new(function.sig.ident.span(), message));
    }
    let arguments = syn::parse(arguments)?;
    let start = quote!(::executor::macros::start);
    expand("main", function, &arguments, &start, None)
}

/// Runs an async test on a runtime of its own, with one core unless told otherwise: `#[executor::test(cores = 2)]`. Takes the arguments of
/// `main`.
///
/// `#[executor::test(start_paused = true)]` starts with time paused, so that a test that sleeps for hours ends at once: see
/// `executor::time::pause`.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    if !arguments.has("cores") {
        let one_core = (syn::parse_quote!(cores), syn::parse_quote!(1usize));
        arguments.settings.push(one_core);
    }
    // Tests run side by side, each in a runtime of its own: pinned, all would be on the same CPU.
    let start = quote!(::executor::macros::start_test);
    let attribute = quote!(#[::core::prelude::v1::test]);
    expand("test", &function, &arguments, &start, Some(attribute))
        .unwrap_or_else(|error| error.to_compile_error().into())
}

fn expand(
    name: &str,
    function: &ItemFn,
    arguments: &Arguments,
    start: &proc_macro2::TokenStream,
    attribute: Option<proc_macro2::TokenStream>,
) -> syn::Result<TokenStream> {
    let signature = &function.sig;
    let Some(_) = signature.asyncness else {
        let message = format!("#[executor::{name}] goes on an `async fn`");
        return Err(Error::new_spanned(signature.fn_token, message));
    };
    if !signature.inputs.is_empty() {
        let message = format!("a function with #[executor::{name}] takes no arguments");
        return Err(Error::new_spanned(&signature.inputs, message));
    }
    // The async function stays one, inside: so `?`, `return` and the output type mean what they mean everywhere.
    let mut outer = signature.clone();
    outer.asyncness = None;
    let mut inner = signature.clone();
    inner.ident = Ident::new("body", signature.ident.span());
    let settings = arguments.settings.iter();
    let settings = settings.map(|(name, value)| quote!(.#name(#value)));
    let (attributes, visibility, block) = (&function.attrs, &function.vis, &function.block);
    let expanded = quote! {
        #attribute
        #(#attributes)*
        #visibility #outer {
            #inner #block
            #start(::executor::Builder::new() #(#settings)*).block_on(body())
        }
    };
    Ok(expanded.into())
}
