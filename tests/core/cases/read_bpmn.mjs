// Read BPMN files (one JSON list of texts on stdin) with bpmn-moddle, and say for each what it warns of and what it found.
import { BpmnModdle } from "bpmn-moddle";

let text = "";
for await (const piece of process.stdin) text += piece;
const found = [];
for (const xml of JSON.parse(text)) {
  try {
    const { rootElement, warnings } = await new BpmnModdle().fromXML(xml);
    const process = rootElement.rootElements.find((one) => one.$type === "bpmn:Process");
    const frames = process.flowElements.filter((one) => one.triggeredByEvent);
    found.push({
      warnings: warnings.map((one) => one.message),
      shapes: rootElement.diagrams[0].plane.planeElement.filter((one) => one.bpmnElement?.id).length,
      parts: rootElement.diagrams[0].plane.planeElement.length,
      frames: frames.map((frame) => {
        const start = frame.flowElements.find((one) => one.$type === "bpmn:StartEvent");
        return [frame.name, start.isInterrupting, start.eventDefinitions.map((one) => one.$type), start.name];
      }),
      conditions: process.flowElements.filter((one) => one.conditionExpression).map((one) => [one.name ?? "", one.conditionExpression.body]),
      timers: process.flowElements.filter((one) => one.$type === "bpmn:BoundaryEvent")
        .map((one) => [one.attachedToRef.id, one.cancelActivity, one.eventDefinitions[0].timeDuration?.body ?? ""]),
    });
  } catch (error) {
    found.push({ warnings: [error.message, ...(error.warnings ?? []).map((one) => one.message)] });
  }
}
console.log(JSON.stringify(found));
