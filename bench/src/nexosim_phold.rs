//! PHOLD for nexosim: a link with latency is an output that a scheduled event of the sender sends over.

use crate::Run;
use crate::model::{Phold, Random, STEP};
use anyhow::{Result, anyhow};
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{Output, QuerySource};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::time::{Duration, Instant};

#[derive(Serialize, Deserialize)]
pub struct Node {
    out: Vec<Output<u64>>,
    random: u64,
    begins: bool,
    received: u64,
}

#[Model]
impl Node {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        if self.begins {
            self.plan(cx);
        }
    }

    pub fn receive(&mut self, _: u64, cx: &Context<Self>) {
        self.received += 1;
        self.plan(cx);
    }

    pub async fn count(&mut self, _: ()) -> u64 {
        self.received
    }

    #[nexosim(schedulable)]
    async fn send(&mut self, to: usize) {
        if let Some(out) = self.out.get_mut(to) {
            out.send(self.received).await;
        }
    }

    fn plan(&mut self, cx: &Context<Self>) {
        let mut random = Random(self.random);
        let to = random.choose(self.out.len());
        self.random = random.0;
        let delay = Duration::from_nanos(STEP.as_ps() / 1000);
        cx.schedule_event(delay, schedulable!(Self::send), to)
            .expect("a delay above zero is in the future");
    }
}

fn words(error: impl Debug) -> anyhow::Error {
    anyhow!("nexosim: {error:?}")
}

pub fn run(phold: Phold, steps: u64) -> Result<Run> {
    let mailboxes: Vec<Mailbox<Node>> = (0..phold.nodes()).map(|_| Mailbox::new()).collect();
    let mut bench = SimInit::with_num_threads(1);
    let mut counts = Vec::new();
    for mailbox in &mailboxes {
        let source = QuerySource::new().connect(Node::count, mailbox);
        counts.push(source.register(&mut bench));
    }
    let nodes: Vec<Node> = (0..phold.nodes())
        .map(|node| Node {
            out: (phold.neighbours(node))
                .map(|(_, other)| {
                    let mut out = Output::default();
                    out.connect(Node::receive, &mailboxes[other as usize]);
                    out
                })
                .collect(),
            random: node.into(),
            begins: phold.begins(node),
            received: 0,
        })
        .collect();
    for (i, (node, mailbox)) in nodes.into_iter().zip(mailboxes).enumerate() {
        bench = bench.add_model(node, mailbox, &format!("node{i}"));
    }
    let mut simulation = bench.init(MonotonicTime::EPOCH).map_err(words)?;
    let end = MonotonicTime::EPOCH + Duration::from_nanos(steps * STEP.as_ps() / 1000);
    let begin = Instant::now();
    simulation.step_until(end).map_err(words)?;
    let seconds = begin.elapsed().as_secs_f64();
    let received = (counts.iter())
        .map(|count| simulation.process_query(count, ()).map_err(words))
        .collect::<Result<_>>()?;
    Ok(Run { seconds, received })
}
