// Every text of the page, in English and Korean. i18n.js fills in each {name}.

export const STRINGS = {
  title: ["Speech to text", "음성을 텍스트로"],
  lead: [
    "Upload a recording or speak. Your audio stays on this server.",
    "녹음 파일을 올리거나 마이크로 말해 보세요. 음성은 이 서버 밖으로 전송되지 않습니다.",
  ],
  interface: ["Page language", "화면 언어"],
  cancel: ["Cancel", "취소"],
  close: ["Close", "닫기"],
  retry: ["Try again", "다시 시도"],
  copy: ["Copy", "복사"],

  "state.asking": ["Checking the service…", "서비스 확인 중…"],
  "state.ok": ["Ready", "준비됨"],
  "state.loading": ["Loading", "준비 중"],
  "state.failed": ["Unavailable", "사용할 수 없음"],
  "state.draining": ["Shutting down", "종료 중"],
  "state.unreachable": ["No response", "응답 없음"],
  "loading.bar": ["Model loading", "모델 준비 진행률"],
  "loading.bytes": [
    "{model}: downloaded {done} of {total}. Recordings wait until it is ready.",
    "{model}: 다운로드 중 {done} / {total}. 완료되면 변환을 시작합니다.",
  ],
  "loading.step": [
    "{model} is loading. Recordings wait until it is ready.",
    "{model}: 모델 준비 중. 준비되면 변환을 시작합니다.",
  ],
  "loading.retry": [
    "{model}: {reason} Retrying in {seconds} s.",
    "{model}: {reason} {seconds}초 뒤에 다시 시도합니다.",
  ],
  "loading.failed": ["{model}: {reason}", "{model}: {reason}"],
  demo: [
    "Demo models: trained on one synthetic voice, they do not understand human speech.",
    "데모 모델입니다. 합성 음성 하나로만 학습해 실제 사람의 말은 인식하지 못합니다.",
  ],

  "key.label": ["This service requires an API key", "이 서비스를 사용하려면 API 키가 필요합니다"],
  "key.use": ["Use this key", "이 키 사용"],
  "key.hint": [
    "Kept in this tab only, until you close it.",
    "이 탭에만 저장되며, 탭을 닫으면 삭제됩니다.",
  ],
  "key.wrong": ["That key was not accepted.", "API 키가 올바르지 않습니다."],

  source: ["A recording or the microphone", "녹음 파일 또는 마이크"],
  language: ["Spoken language", "음성 언어"],
  options: ["Options", "옵션"],
  hotwords: ["Hotwords", "키워드 부스팅"],
  "hotwords.hint": [
    "Names and terms that may be said, separated by commas. A weight can follow a colon.",
    "녹음에 나올 만한 이름이나 용어를 쉼표로 구분해 입력하세요. 콜론 뒤에 가중치를 붙일 수 있습니다.",
  ],
  "options.model": ["Use the language model", "언어 모델 사용"],
  "options.write": ["Write numbers as digits (3시, 25%)", "숫자와 약어를 표기로 변환(3시, 25%)"],
  "options.space": ["Restore missing spaces", "빠진 띄어쓰기 복원"],
  "drop.title": ["Drop a recording here", "녹음 파일을 여기에 놓으세요"],
  "drop.hint": [
    "or paste, choose or record one. All common formats work.",
    "붙여 넣기, 파일 선택, 직접 녹음도 가능합니다. 널리 쓰이는 형식을 모두 지원합니다.",
  ],
  "drop.now": ["Drop to transcribe", "놓으면 텍스트로 변환합니다"],
  "drop.busy": [
    "One recording at a time. Cancel this one first.",
    "한 번에 하나만 변환할 수 있습니다. 진행 중인 작업을 먼저 취소하세요.",
  ],
  choose: ["Choose a file", "파일 선택"],
  record: ["Record", "녹음"],

  recording: ["Recording", "녹음"],
  "recording.now": ["Recording · {language}", "녹음 중 · {language}"],
  "recording.live": ["Words appear as you speak.", "말하는 내용이 실시간으로 표시됩니다."],
  "recording.later": [
    "Live text is not available. The recording is transcribed when you stop.",
    "실시간 변환을 사용할 수 없습니다. 녹음을 마치면 텍스트로 변환합니다.",
  ],
  "recording.silent": [
    "The microphone is silent. Is it muted, or is the wrong one selected?",
    "마이크에 소리가 입력되지 않습니다. 음소거 여부와 선택된 마이크를 확인하세요.",
  ],
  "recording.finishing": ["Finishing…", "마지막 부분을 변환하는 중…"],
  stop: ["Stop", "중지"],
  discard: ["Discard", "삭제"],

  "mic.denied": [
    "The browser blocks the microphone. Allow it in the address bar.",
    "브라우저에서 마이크 사용이 차단되었습니다. 주소 표시줄에서 허용해 주세요.",
  ],
  "mic.missing": ["No microphone was found.", "마이크를 찾을 수 없습니다."],
  "mic.insecure": [
    "Browsers allow the microphone only on https:// or localhost.",
    "마이크는 https:// 또는 localhost 페이지에서만 사용할 수 있습니다.",
  ],
  "mic.failed": [
    "The microphone cannot be used. Is another program using it?",
    "마이크를 사용할 수 없습니다. 다른 프로그램에서 사용 중인지 확인하세요.",
  ],

  "work.bar": ["Progress", "진행 상황"],
  "work.queue": ["Waiting for the model…", "모델 준비를 기다리는 중…"],
  "work.upload": ["Uploading", "업로드 중"],
  "work.uploaded": ["{done} of {total}", "{done} / {total}"],
  "work.listen": ["Transcribing…", "텍스트로 변환하는 중…"],
  "work.elapsed": ["{seconds} s", "{seconds}초"],
  "work.busy": [
    "The service is busy. Retrying in {seconds} s.",
    "요청이 많습니다. {seconds}초 뒤에 다시 시도합니다.",
  ],
  warnings: ["Something may be missing from the text:", "텍스트에 빠진 내용이 있을 수 있습니다."],
  "work.done": ["Done: {words} words.", "완료: 단어 {words}개."],
  "work.cancelled": ["Cancelled.", "취소했습니다."],

  play: ["Play", "재생"],
  pause: ["Pause", "일시 정지"],
  seek: ["Position", "위치"],
  "seek.at": ["{time} of {length}", "{time} / {length}"],
  speed: ["Speed", "속도"],
  "player.none": [
    "This browser cannot play the format. The transcript is still complete.",
    "이 브라우저에서는 이 형식을 재생할 수 없습니다. 변환 결과에는 영향이 없습니다.",
  ],

  transcript: ["Transcript", "변환된 텍스트"],
  "transcript.how": [
    "Left and right arrows select a word, Enter plays from there, Space plays or pauses.",
    "왼쪽·오른쪽 화살표: 단어 선택, Enter: 해당 위치부터 재생, 스페이스: 재생·일시 정지",
  ],
  "transcript.from": ["Play from {time}", "{time}부터 재생"],
  "transcript.word": ["{word}, {time}, {percent}% confidence", "{word}, {time}, 신뢰도 {percent}%"],
  "transcript.hint": ["{time} · {percent}% confidence", "{time} · 신뢰도 {percent}%"],
  "transcript.empty": ["No speech was found in this recording.", "인식된 음성이 없습니다."],
  legend: [
    "A stronger tint means lower confidence. Click a word to hear it.",
    "색이 짙을수록 신뢰도가 낮습니다. 단어를 누르면 해당 위치부터 재생합니다.",
  ],
  facts: ["{length} · {language} · {model}", "{length} · {language} · {model}"],
  "facts.speed": [
    "{length} · {language} · {model} · in {seconds} s",
    "{length} · {language} · {model} · {seconds}초 소요",
  ],

  "copy.text": ["Copy text", "텍스트 복사"],
  "copy.curl": ["Copy the command", "명령어 복사"],
  "copy.done": ["Copied", "복사했습니다"],
  "copy.failed": ["The browser does not allow copying.", "브라우저가 복사를 허용하지 않습니다."],
  download: ["Download", "다운로드"],
  "download.txt": ["Download TXT, plain text", "TXT 다운로드, 텍스트만"],
  "download.srt": ["Download SRT subtitles", "SRT 자막 다운로드"],
  "download.vtt": ["Download VTT subtitles", "VTT 자막 다운로드"],
  "download.json": [
    "Download JSON with word times",
    "JSON 다운로드, 단어별 시간 포함",
  ],
  "download.wav": ["Save the recording (WAV)", "녹음 저장 (WAV)"],
  again: ["Transcribe as {language}", "{language}(으)로 변환"],
  "again.options": ["Transcribe again", "다시 변환"],
  curl: ["From a terminal", "터미널 명령어"],

  "problem.title": ["Something went wrong", "처리하지 못했습니다"],
  "problem.network": ["The service does not respond", "서비스가 응답하지 않습니다"],
  "problem.network.detail": [
    "It may be restarting, or the connection is down.",
    "다시 시작하는 중이거나 연결이 끊겼을 수 있습니다.",
  ],
  "problem.microphone": ["Cannot record", "녹음할 수 없습니다"],
  "problem.unsupported_format": [
    "The service cannot read this file",
    "지원하지 않는 형식입니다",
  ],
  "problem.invalid_audio": ["The recording is damaged", "녹음 파일이 손상되었습니다"],
  "problem.audio_too_long": ["The recording is too long", "녹음이 너무 깁니다"],
  "problem.upload_too_large": ["The file is too large", "파일이 너무 큽니다"],
  "problem.invalid_hotwords": ["The hotwords cannot be used", "키워드를 사용할 수 없습니다"],
  "problem.overloaded": ["The service is busy", "요청이 많습니다"],
  "problem.model_loading": ["The model is not ready yet", "모델이 아직 준비되지 않았습니다"],
  "problem.model_failed": ["The model cannot be used", "모델을 사용할 수 없습니다"],

  "footer.docs": ["API", "API"],
  "footer.languages": ["Languages", "언어"],
  "footer.health": ["Status", "상태"],
};
