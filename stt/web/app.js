"use strict";
const $ = (id) => document.getElementById(id);
let recording = null;

async function showState() {
  let health;
  try {
    health = await (await fetch("health")).json();
  } catch {
    health = { status: "failed", models: [], demo: false };
  }
  const state = $("state");
  state.className = health.status;
  const waiting = health.models.filter((model) => model.status !== "ready");
  const parts = [health.status === "ok" ? "ready · 준비됨" : health.status];
  for (const model of waiting) {
    const percent = model.bytes_total ? ` ${Math.floor((100 * model.bytes_done) / model.bytes_total)} %` : "";
    parts.push(`${model.model_id}: ${model.reason ?? model.step}${percent}`);
  }
  if (health.demo) parts.push("demo models: a synthetic voice only · 데모 모델: 합성 음성 전용");
  state.textContent = parts.join(" — ");
  if (health.status === "loading") setTimeout(showState, 1000);
}

async function showLanguages() {
  const { languages } = await (await fetch("languages")).json();
  for (const language of languages) {
    const option = new Option(`${language.native_name} (${language.code})`, language.code);
    option.selected = language.default;
    $("lang").append(option);
  }
}

function choose(file) {
  if (!file) return;
  recording = file;
  $("name").textContent = file.name;
  $("send").disabled = false;
}

async function transcribe(event) {
  event.preventDefault();
  const form = new FormData();
  form.append("file", recording);
  form.append("lang", $("lang").value);
  $("send").disabled = true;
  $("send").setAttribute("aria-busy", "true");
  $("answer").hidden = false;
  $("text").className = "";
  $("text").textContent = "…";
  $("facts").textContent = "";
  URL.revokeObjectURL($("player").src);
  $("player").src = URL.createObjectURL(recording);
  $("curl").textContent = `curl -F file=@${JSON.stringify(recording.name)} -F lang=${$("lang").value} ${location.origin}/transcribe`;
  try {
    const response = await fetch("transcribe", { method: "POST", body: form });
    const answer = await response.json();
    if (response.ok) {
      $("text").textContent = answer.text || "(nothing was said · 인식된 말이 없습니다)";
      const speed = answer.duration_seconds / answer.processing_time_seconds;
      $("facts").textContent =
        `${answer.model} · ${answer.duration_seconds} s in ${answer.processing_time_seconds} s ` +
        `(${speed.toFixed(0)} × real time) · ${answer.device}`;
    } else {
      $("text").className = "error";
      $("text").textContent = answer.detail;
    }
  } catch {
    $("text").className = "error";
    $("text").textContent = "The service does not answer. · 서비스가 응답하지 않습니다.";
  }
  $("send").disabled = false;
  $("send").removeAttribute("aria-busy");
}

$("file").addEventListener("change", () => choose($("file").files[0]));
$("form").addEventListener("submit", transcribe);
for (const kind of ["dragover", "dragleave", "drop"]) {
  $("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") choose(event.dataTransfer.files[0]);
  });
}
showState();
showLanguages();
