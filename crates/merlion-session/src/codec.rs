//! How our plan nodes travel. Everything that is not ours is Ballista's.

use std::any::Any;
use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use merlion_io::scan::ScanSpec;
use merlion_io::write::{WriteExec, WriteSpec};
use serde::{Deserialize, Serialize};

use crate::scope::SeriesScopeExec;

/// Marks the bytes of our nodes. Ballista's are protobuf messages, whose first byte is a small field tag.
const MAGIC: &[u8] = b"merlion:";

#[derive(Debug, Serialize, Deserialize)]
enum Node {
    Scan(ScanSpec),
    SeriesScope,
    Write(WriteSpec),
}

/// Encodes and decodes the plan nodes of this project.
#[derive(Debug, Default)]
pub struct MerlionPhysicalCodec {
    ballista: BallistaPhysicalExtensionCodec,
}

impl PhysicalExtensionCodec for MerlionPhysicalCodec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(json) = buf.strip_prefix(MAGIC) else {
            return self.ballista.try_decode(buf, inputs, context, converter);
        };
        let node: Node = serde_json::from_slice(json).map_err(external)?;
        match (node, inputs) {
            (Node::Scan(scan), []) => scan.plan(),
            (Node::SeriesScope, [input]) => Ok(Arc::new(SeriesScopeExec::new(Arc::clone(input)))),
            (Node::Write(spec), [input]) => Ok(Arc::new(WriteExec::try_new(Arc::clone(input), spec)?)),
            (node, inputs) => internal_err!("{node:?} with {} inputs", inputs.len()),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let any: &dyn Any = node.as_ref();
        let ours = if let Some(write) = any.downcast_ref::<WriteExec>() {
            Node::Write(write.spec().clone())
        } else if any.is::<SeriesScopeExec>() {
            Node::SeriesScope
        } else if let Some(scan) = ScanSpec::of(&node) {
            Node::Scan(scan)
        } else {
            return self.ballista.try_encode(node, buf, converter);
        };
        buf.extend_from_slice(MAGIC);
        serde_json::to_writer(buf, &ours).map_err(external)
    }

    fn try_encode_udf(&self, node: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode_udf(node, buf)
    }

    fn try_decode_udf(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        self.ballista.try_decode_udf(name, buf)
    }

    fn try_encode_udaf(&self, node: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode_udaf(node, buf)
    }

    fn try_decode_udaf(&self, name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
        self.ballista.try_decode_udaf(name, buf)
    }

    fn try_encode_udwf(&self, node: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode_udwf(node, buf)
    }

    fn try_decode_udwf(&self, name: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
        self.ballista.try_decode_udwf(name, buf)
    }
}

fn external(error: serde_json::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
