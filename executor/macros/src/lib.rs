//! `#[executor::main]` and `#[executor::test]`: an async function, run on a runtime of its own.
//!
//! Reached through the `executor` crate, to whose items the expansion refers by their full paths.

use proc_macro::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, ItemFn, LitStr, Path, Token, parse_macro_input};

/// What may stand in the parentheses beside `crate`: each is the method of `executor::Builder` of that name.
const SETTINGS: [&str; 4] = ["cores", "idle", "pin", "start_paused"];

/// What the arguments are, for those who gave another.
const KNOWN: &str =
    "`cores = N`, `idle = POLICY`, `pin = BOOL`, `start_paused = BOOL` and `crate = PATH`";

/// The arguments in the parentheses, each name once.
struct Arguments {
    settings: Vec<(Ident, Expr)>,
    /// The path of the `executor` crate.
    executor: Option<Path>,
}

impl Arguments {
    fn has(&self, wanted: &str) -> bool {
        match wanted {
            "crate" => self.executor.is_some(),
            _ => self.settings.iter().any(|(name, _)| name == wanted),
        }
    }

    fn executor(&self) -> Path {
        let executor = self.executor.clone();
        executor.unwrap_or_else(|| syn::parse_quote!(::executor))
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self {
            settings: Vec::new(),
            executor: None,
        };
        while !input.is_empty() {
            // `crate` is a keyword.
            let name = input.call(Ident::parse_any)?;
            let text = name.to_string();
            if text != "crate" && !SETTINGS.contains(&&*text) {
                return Err(Error::new(name.span(), unknown(&text)));
            }
            if arguments.has(&text) {
                return Err(Error::new(name.span(), format!("`{text}` is given twice")));
            }
            input.parse::<Token![=]>()?;
            if text == "crate" {
                arguments.executor = Some(parse_path(input)?);
            } else {
                arguments.settings.push((name, input.parse()?));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

fn unknown(name: &str) -> String {
    let instead = match name {
        "worker_threads" | "threads" => {
            " To choose how many threads poll tasks, write `cores = N`."
        }
        "flavor" => " For a runtime on one thread, write `cores = 1`.",
        _ => "",
    };
    format!("unknown argument `{name}`; there are {KNOWN}.{instead}")
}

/// A path, or a string with one in it, as tokio has it.
fn parse_path(input: ParseStream<'_>) -> syn::Result<Path> {
    let text: Option<LitStr> = input.parse()?;
    let (span, parsed) = match text {
        Some(text) => (text.span(), text.parse_with(Path::parse_mod_style)),
        None => (input.span(), input.call(Path::parse_mod_style)),
    };
    let message =
        "`crate` is the path of the crate `executor`, such as `crate = framework::executor`";
    parsed.map_err(|_| Error::new(span, message))
}

/// Makes a blocking function of an async one: each call builds a runtime, with one core for each CPU the process may use, and runs the body on core 0.
///
/// It goes on `main`, and on any other async function that takes no arguments.
///
/// # Arguments
/// `#[executor::main(cores = N, idle = POLICY, pin = BOOL)]`; each may be left out. They are any
/// expressions for the methods of `executor::Builder` with these names. `start_paused = true` is
/// for tests. There is no `flavor` and no `worker_threads`: `cores = 1` is a runtime on one thread,
/// and each further core has a thread of its own.
///
/// `crate = PATH` says where the crate `executor` is: for one that is renamed, or re-exported by another. The macro of a re-export is used the same way:
/// `#[framework::executor::main(crate = framework::executor)]`. A string, `crate = "executor1"`, is understood as well.
///
/// # Errors
/// If the runtime cannot start, `main` says why and ends the process with status 1; any other function panics.
///
/// What the body returns is the function's return value. A panic stops the other cores and is propagated.
///
/// # Panics
/// Another function than `main` panics if it is called on a core of a runtime.
///
/// # Examples
/// ```
/// /// Runs on core 0; the others wait for what is sent to them.
/// #[executor::main]
/// async fn main() -> Result<(), executor::JoinError> {
///     let last = executor::cores() - 1;
///     let there = executor::spawn_on(last, async || executor::current_core());
///     assert_eq!(there.await?, last);
///     Ok(())
/// }
/// ```
///
/// In a program that is not async otherwise, on one core:
/// ```
/// fn main() -> std::io::Result<()> {
///     assert!(manifest()?.contains("[package]"));
///     Ok(())
/// }
///
/// #[executor::main(cores = 1, pin = false)]
/// async fn manifest() -> std::io::Result<String> {
///     executor::fs::read_to_string("Cargo.toml").await
/// }
/// ```
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
    let arguments: Arguments = syn::parse(arguments)?;
    let executor = arguments.executor();
    let start = match function.sig.ident == "main" {
        true => quote!(#executor::macros::start),
        false => quote!(#executor::macros::start_or_panic),
    };
    let builder = quote!(#executor::Builder::new());
    expand("main", function, &arguments, &start, &builder, None)
}

/// Runs an async test on a runtime of its own, with one core that is not pinned, unless told otherwise: `#[executor::test(cores = 2, pin = true)]`.
///
/// Tests run side by side, each in a runtime of its own. Pinned, all of them would be on the same CPU; so they are not, and a core that has nothing to do
/// blocks at once. With `pin = true` a test runs as a program does by default.
///
/// Takes the arguments of `main`. Other attributes, such as `#[should_panic]` and `#[ignore]`, go below it, and a test may return a `Result`. If the runtime
/// cannot start, the test fails and says why.
///
/// `#[executor::test(start_paused = true)]` starts with time paused, so that a test that sleeps for hours ends at once: see
/// `executor::time::pause`.
///
/// # Examples
/// ```
/// #[executor::test]
/// async fn a_file_that_is_written_can_be_read() -> std::io::Result<()> {
///     let path = std::env::temp_dir().join("executor-test-example");
///     executor::fs::write(&path, "hello").await.0?;
///     assert_eq!(executor::fs::read(&path).await?, b"hello");
///     executor::fs::remove_file(&path).await
/// }
///
/// #[executor::test(cores = 2)]
/// async fn another_core_answers() {
///     let answer = executor::spawn_on(1, async || 6 * 7).await;
///     assert_eq!(answer.unwrap(), 42);
/// }
/// # fn main() {}
/// ```
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    let executor = arguments.executor();
    let start = quote!(#executor::macros::start_or_panic);
    let builder = quote!(#executor::Builder::new().cores(1usize).pin(false));
    let attribute = quote!(#[::core::prelude::v1::test]);
    expand(
        "test",
        &function,
        &arguments,
        &start,
        &builder,
        Some(attribute),
    )
    .unwrap_or_else(|error| error.to_compile_error().into())
}

/// `start` makes a runtime of `builder`, with the arguments' settings.
fn expand(
    name: &str,
    function: &ItemFn,
    arguments: &Arguments,
    start: &proc_macro2::TokenStream,
    builder: &proc_macro2::TokenStream,
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
            #start(#builder #(#settings)*).block_on(body())
        }
    };
    Ok(expanded.into())
}
