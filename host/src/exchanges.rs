//! The requests of a component that are under way, and `wasi:io/poll`, which waits for their answers.
//!
//! wasmtime gives a task to each request and another one to each answer, and a poll asks everything that it is
//! given, each time, through two boxes: with hundreds under way that is most of what a poll costs. Here a request
//! is gone on with when something has happened to it, and a poll reads of each whether its answer is there.

use futures_util::future::{AbortHandle, Abortable, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::Response;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::task::coop::unconstrained;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::poll::{self, Host, HostPollable};
use wasmtime_wasi::p2::{DynPollable, Pollable};
use wasmtime_wasi_http::{Error, WasiBody};

/// What a request comes to.
pub(crate) type Answered = Result<Response<WasiBody>, Error>;

/// An answer that is there, will be, or was taken: what a component knows as `future-incoming-response`. Without it
/// the request is given up.
pub(crate) struct Answer {
    place: Arc<Place>,
    request: AbortHandle,
}

/// Where an answer is put.
struct Place(Mutex<State>);

enum State {
    Waiting,
    There(Box<Answered>),
    Taken,
}

impl Place {
    fn new(state: State) -> Arc<Self> {
        Arc::new(Self(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self) -> bool {
        matches!(*self.state(), State::Waiting)
    }
}

impl Answer {
    /// One that is there.
    pub(crate) fn of(answered: Answered) -> Self {
        let place = Place::new(State::There(Box::new(answered)));
        Self { place, request: AbortHandle::new_pair().0 }
    }

    /// The answer: none while it is to come, and an error when it was taken before.
    pub(crate) fn take(&self) -> Option<Result<Answered, ()>> {
        let mut state = self.place.state();
        if matches!(*state, State::Waiting) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::There(answered) => Some(Ok(*answered)),
            State::Waiting | State::Taken => Some(Err(())),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.request.abort();
    }
}

/// For the table of resources. [`Waiting`] never asks it.
#[wasmtime_wasi::async_trait]
impl Pollable for Answer {
    async fn ready(&mut self) {
        let come =
            |_: &mut Context<'_>| if self.place.waits() { Poll::Pending } else { Poll::Ready(()) };
        poll_fn(come).await;
    }
}

/// The requests of a component that are under way.
#[derive(Default)]
pub(crate) struct Exchanges {
    running: FuturesUnordered<Abortable<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    /// By the number of a pollable: the answer that it is for.
    watched: Vec<Option<Arc<Place>>>,
}

impl Exchanges {
    /// Begins a request.
    pub(crate) fn begin(
        &mut self,
        request: impl Future<Output = Answered> + Send + 'static,
    ) -> Answer {
        let place = Place::new(State::Waiting);
        let put = Arc::clone(&place);
        // tokio lets a task go on 128 times before others have their turn, and this is all one task.
        let exchange = Box::pin(unconstrained(
            request.map(move |answered| *put.state() = State::There(Box::new(answered))),
        ));
        let (abort, registration) = AbortHandle::new_pair();
        self.running.push(Abortable::new(exchange, registration));
        // Sends it, and drops what was given up. Who waits next takes note of wakers anew.
        self.go_on(&mut Context::from_waker(Waker::noop()));
        Answer { place, request: abort }
    }

    /// Goes on with those to which something happened.
    fn go_on(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(_)) = self.running.poll_next_unpin(context) {}
    }

    /// A pollable is for an answer.
    pub(crate) fn watch(&mut self, pollable: &Resource<DynPollable>, answer: &Answer) {
        let number = pollable.rep() as usize;
        if self.watched.len() <= number {
            self.watched.resize(number + 1, None);
        }
        if let Some(place) = self.watched.get_mut(number) {
            *place = Some(Arc::clone(&answer.place));
        }
    }

    /// The number of a pollable is given to another one after this.
    fn forget(&mut self, pollable: &Resource<DynPollable>) {
        if let Some(place) = self.watched.get_mut(pollable.rep() as usize) {
            *place = None;
        }
    }

    fn place(&self, pollable: &Resource<DynPollable>) -> Option<&Place> {
        self.watched.get(pollable.rep() as usize)?.as_deref()
    }

    fn watches(&self, pollable: &Resource<DynPollable>) -> bool {
        self.place(pollable).is_some()
    }

    fn is_there(&self, pollable: &Resource<DynPollable>) -> bool {
        self.place(pollable).is_some_and(|place| !place.waits())
    }
}

/// What waiting needs: `wasi:io/poll`.
pub(crate) struct Waiting<'a> {
    /// Everything else that is waited for.
    pub(crate) table: &'a mut ResourceTable,
    /// The requests.
    pub(crate) exchanges: &'a mut Exchanges,
}

impl Host for Waiting<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        let (mut answers, mut others, mut indices) = (Vec::new(), Vec::new(), Vec::new());
        for (index, pollable) in (0..).zip(pollables) {
            if self.exchanges.watches(&pollable) {
                answers.push((index, pollable));
            } else {
                indices.push(index);
                others.push(pollable);
            }
        }
        // Nothing at all is an error of wasmtime's.
        let asks_others = !others.is_empty() || answers.is_empty();
        let mut others = pin!(self.table.poll(others));
        poll_fn(|context| {
            self.exchanges.go_on(context);
            let there = answers.iter().filter(|(_, pollable)| self.exchanges.is_there(pollable));
            let mut ready: Vec<u32> = there.map(|(index, _)| *index).collect();
            if asks_others && let Poll::Ready(result) = others.as_mut().poll(context) {
                let index = |other: u32| indices.get(other as usize).copied();
                ready.extend(result?.into_iter().filter_map(index));
            }
            if ready.is_empty() { Poll::Pending } else { Poll::Ready(Ok(ready)) }
        })
        .await
    }
}

impl HostPollable for Waiting<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.poll(vec![pollable]).await.map(|_| ())
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        if !self.exchanges.watches(&pollable) {
            return self.table.ready(pollable).await;
        }
        self.exchanges.go_on(&mut Context::from_waker(Waker::noop()));
        Ok(self.exchanges.is_there(&pollable))
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.exchanges.forget(&pollable);
        HostPollable::drop(self.table, pollable)
    }
}

impl HasData for Exchanges {
    type Data<'a> = Waiting<'a>;
}

/// Gives a component `wasi:io/poll`.
///
/// # Errors
/// There is one already.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    waiting: fn(&mut T) -> Waiting<'_>,
) -> wasmtime::Result<()> {
    poll::add_to_linker::<T, Exchanges>(linker, waiting)
}
