// What to do about an error, in Korean. In English the service's own message says it.

export const ADVICE = {
  unsupported_format: "WAV, MP3, M4A, OGG, FLAC 등 음성이 든 파일인지 확인하세요. 동영상도 됩니다.",
  invalid_audio: "다른 프로그램에서 재생되는지 확인하고, 재생되면 WAV나 MP3로 변환해 다시 올리세요.",
  decode_failed: "파일을 WAV나 MP3로 변환해 다시 올리세요.",
  audio_too_long: "녹음을 나누어 올리거나, 관리자에게 길이 제한을 늘려 달라고 요청하세요.",
  upload_too_large: "MP3나 M4A로 압축해 올리거나, 관리자에게 크기 제한을 늘려 달라고 요청하세요.",
  invalid_hotwords: "옵션의 키워드를 고친 뒤 다시 시도하세요. 키워드는 쉼표로 구분합니다.",
  not_supported: "지원되지 않는 옵션을 끄고 다시 시도하세요.",
  overloaded: "잠시 뒤에 다시 시도하세요.",
  rate_limited: "사용량 제한에 도달했습니다. 잠시 뒤에 다시 시도하세요.",
  queue_timeout: "잠시 뒤에 다시 시도하세요.",
  deadline_exceeded: "녹음을 나누어 올리거나, 백그라운드 작업으로 변환하세요.",
  model_loading: "모델이 준비되면 다시 시도하세요. 위쪽에 진행률이 표시됩니다.",
  model_failed: "관리자에게 서비스 로그를 확인해 달라고 요청하세요.",
  job_quota_reached: "진행 중인 작업이 끝난 뒤 다시 시도하세요.",
  jobs_unavailable: "옵션에서 백그라운드 작업을 끄고 다시 시도하세요.",
  out_of_storage: "서버의 저장 공간이 부족합니다. 관리자에게 알려 주세요.",
};
