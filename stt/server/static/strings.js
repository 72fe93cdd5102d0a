// Every sentence of the page, in English and in Korean. {name} is filled in by i18n.js.

export const STRINGS = {
  title: ["Speech to text", "음성을 텍스트로"],
  lead: [
    "Give it a recording, or just speak. Nothing leaves this server.",
    "녹음 파일을 넣거나 바로 말해 보세요. 이 서버 밖으로는 나가지 않습니다.",
  ],
  interface: ["Language of this page", "화면 언어"],
  cancel: ["Cancel", "취소"],
  close: ["Close", "닫기"],
  retry: ["Try again", "다시 시도"],
  copy: ["Copy", "복사"],

  "state.asking": ["Asking the service…", "서비스 확인 중…"],
  "state.ok": ["Ready", "준비됨"],
  "state.loading": ["Loading", "준비 중"],
  "state.failed": ["Not working", "사용할 수 없음"],
  "state.draining": ["Shutting down", "종료 중"],
  "state.unreachable": ["No answer", "응답 없음"],
  "loading.bar": ["Model loading", "모델 준비 상황"],
  "loading.bytes": [
    "{model}: {done} of {total} fetched. Recordings wait until it is here.",
    "{model}: {total} 중 {done}을(를) 받았습니다. 다 받을 때까지 녹음은 기다립니다.",
  ],
  "loading.step": [
    "{model} is being prepared. Recordings wait until it is ready.",
    "{model}을(를) 준비하고 있습니다. 준비될 때까지 녹음은 기다립니다.",
  ],
  "loading.retry": [
    "{model}: {reason} Next try in {seconds} s.",
    "{model}: {reason} {seconds}초 뒤에 다시 시도합니다.",
  ],
  "loading.failed": ["{model}: {reason}", "{model}: {reason}"],
  demo: [
    "Demo models: they know one synthetic voice and do not understand people.",
    "데모 모델입니다. 합성 음성 하나만 배워서 사람의 말은 알아듣지 못합니다.",
  ],

  "key.label": ["This service asks for an API key", "이 서비스에는 API 키가 필요합니다"],
  "key.use": ["Use this key", "이 키 사용"],
  "key.hint": [
    "Kept in this tab only, until it is closed.",
    "이 탭에만 보관되며, 탭을 닫으면 지워집니다.",
  ],
  "key.wrong": ["That key was not accepted.", "그 키는 받아들여지지 않았습니다."],

  source: ["A recording or the microphone", "녹음 파일 또는 마이크"],
  language: ["Spoken language", "말하는 언어"],
  "drop.title": ["Drop a recording here", "녹음 파일을 여기에 놓으세요"],
  "drop.hint": [
    "or paste it, choose it, or record one. Any usual format.",
    "붙여 넣거나, 고르거나, 직접 녹음해도 됩니다. 흔히 쓰는 형식이면 다 됩니다.",
  ],
  "drop.now": ["Let go to transcribe", "놓으면 텍스트로 바꿉니다"],
  "drop.busy": [
    "One recording at a time. Cancel this one first.",
    "한 번에 하나만 할 수 있습니다. 지금 하는 것을 먼저 취소하세요.",
  ],
  choose: ["Choose a file", "파일 고르기"],
  record: ["Record", "녹음하기"],

  recording: ["Recording", "녹음"],
  "recording.now": ["Recording · {language}", "녹음 중 · {language}"],
  "recording.live": ["Words appear as you speak.", "말하는 대로 글자가 나타납니다."],
  "recording.later": [
    "Live text is not available. The recording is transcribed when you stop.",
    "실시간 변환을 쓸 수 없습니다. 녹음을 마치면 텍스트로 바꿉니다.",
  ],
  "recording.silent": [
    "The microphone gives no sound. Is it muted, or is another one selected?",
    "마이크에서 소리가 들어오지 않습니다. 음소거되었거나 다른 마이크가 선택되어 있지 않나요?",
  ],
  "recording.finishing": ["Last words…", "마지막 말을 변환하고 있습니다…"],
  stop: ["Stop", "마치기"],
  discard: ["Discard", "버리기"],

  "mic.denied": [
    "The browser does not let this page use the microphone. Allow it in the address bar.",
    "브라우저가 마이크 사용을 막았습니다. 주소 표시줄에서 허용해 주세요.",
  ],
  "mic.missing": ["No microphone was found.", "마이크를 찾지 못했습니다."],
  "mic.insecure": [
    "Browsers give the microphone only to pages on https:// or localhost.",
    "브라우저는 https:// 또는 localhost 페이지에서만 마이크를 쓰게 해 줍니다.",
  ],
  "mic.failed": [
    "The microphone cannot be used. Is another program using it?",
    "마이크를 쓸 수 없습니다. 다른 프로그램이 쓰고 있지 않나요?",
  ],

  "work.bar": ["Progress", "진행 상황"],
  "work.queue": ["Waiting for the model…", "모델을 기다리고 있습니다…"],
  "work.upload": ["Uploading", "올리는 중"],
  "work.uploaded": ["{done} of {total}", "{total} 중 {done}"],
  "work.listen": ["Transcribing…", "텍스트로 바꾸는 중…"],
  "work.elapsed": ["{seconds} s", "{seconds}초"],
  "work.busy": [
    "The service is busy. Trying again in {seconds} s.",
    "서비스가 바쁩니다. {seconds}초 뒤에 다시 시도합니다.",
  ],
  "work.done": ["Done: {words} words.", "끝났습니다. 단어 {words}개."],
  "work.cancelled": ["Cancelled.", "취소했습니다."],

  play: ["Play", "재생"],
  pause: ["Pause", "일시 정지"],
  seek: ["Position", "위치"],
  "seek.at": ["{time} of {length}", "{length} 중 {time}"],
  speed: ["Speed", "속도"],
  "player.none": [
    "This browser cannot play the format. The text is complete all the same.",
    "이 브라우저는 이 형식을 재생하지 못합니다. 텍스트는 빠짐없이 나옵니다.",
  ],

  transcript: ["Transcript", "변환된 텍스트"],
  "transcript.how": [
    "Left and right arrows choose a word, Enter plays from there, Space plays and pauses.",
    "왼쪽·오른쪽 화살표로 단어를 고르고, Enter로 그 자리부터 듣고, 스페이스로 재생하거나 멈춥니다.",
  ],
  "transcript.from": ["Play from {time}", "{time}부터 재생"],
  "transcript.word": ["{word}, {time}, {percent} % sure", "{word}, {time}, 확신도 {percent}%"],
  "transcript.hint": ["{time} · {percent} % sure", "{time} · 확신도 {percent}%"],
  "transcript.empty": ["Nothing was said in this recording.", "인식된 말이 없습니다."],
  legend: [
    "The stronger the tint, the less sure. Click a word to hear it.",
    "색이 짙을수록 확신이 낮습니다. 단어를 누르면 그 자리부터 들립니다.",
  ],
  facts: ["{length} · {language} · {model}", "{length} · {language} · {model}"],
  "facts.speed": [
    "{length} · {language} · {model} · in {seconds} s",
    "{length} · {language} · {model} · {seconds}초 만에",
  ],

  "copy.text": ["Copy text", "텍스트 복사"],
  "copy.curl": ["Copy the command", "명령 복사"],
  "copy.done": ["Copied", "복사했습니다"],
  "copy.failed": ["The browser does not allow copying.", "브라우저가 복사를 허용하지 않습니다."],
  download: ["Download", "내려받기"],
  "download.txt": ["Download TXT, plain text", "TXT 내려받기, 텍스트만"],
  "download.srt": ["Download SRT subtitles", "SRT 자막 내려받기"],
  "download.vtt": ["Download VTT subtitles", "VTT 자막 내려받기"],
  "download.json": [
    "Download JSON, with the times of the words",
    "JSON 내려받기, 단어별 시각 포함",
  ],
  "download.wav": ["Save the recording (WAV)", "녹음 저장 (WAV)"],
  again: ["Transcribe as {language}", "{language}(으)로 변환"],
  curl: ["The same from a terminal", "터미널에서는 이렇게"],

  "problem.title": ["That did not work", "처리하지 못했습니다"],
  "problem.network": ["The service does not answer", "서비스가 응답하지 않습니다"],
  "problem.network.detail": [
    "It may be restarting, or the connection is down.",
    "다시 시작하는 중이거나 연결이 끊겼을 수 있습니다.",
  ],
  "problem.microphone": ["No recording", "녹음할 수 없습니다"],
  "problem.unsupported_format": [
    "This is not a recording that the service can read",
    "읽을 수 없는 형식입니다",
  ],
  "problem.invalid_audio": ["The recording is damaged", "녹음 파일이 손상되었습니다"],
  "problem.audio_too_long": ["The recording is too long", "녹음이 너무 깁니다"],
  "problem.upload_too_large": ["The file is too large", "파일이 너무 큽니다"],
  "problem.overloaded": ["The service is busy", "서비스가 바쁩니다"],
  "problem.model_loading": ["The model is not ready yet", "모델이 아직 준비되지 않았습니다"],
  "problem.model_failed": ["The model cannot be used", "모델을 사용할 수 없습니다"],

  "footer.docs": ["API", "API"],
  "footer.languages": ["Languages", "언어"],
  "footer.health": ["State", "상태"],
};
