"""Wav2Vec2's forward (Baevski et al., 2020, arXiv:2006.11477), laid out for inference.

The arithmetic and weights are those of ``transformers.Wav2Vec2ForCTC``; a test compares the two.
The differences, measured in docs/benchmarks.md:

- Convolutions are matrix products on a time-major signal, so layer norm needs no transposing and
  nothing is unfolded in memory.
- The encoder computes two seconds at a time, which fit the processor's cache.
- Weights are read and converted one tensor at a time, so memory never holds two copies.
- transformers' modelling code is not imported, which saves 5 s of start and 200 MB.
"""

from functools import reduce
from typing import Any, Protocol

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from stt.engines.grouped import widened
from stt.engines.lengths import CONTEXT_FRAMES, ENCODER_FRAMES, round_up
from stt.engines.packed import Linear
from stt.engines.rows import ENCODER_SAMPLES, by_rows
from stt.types import FrameGrid

PIECE_FRAMES = 100
"""Frames that the feature encoder computes at once on a CPU. Each of its dozen signals takes 7 MB
in bf16 for two seconds, and 65 MB for a window of 20 s."""


class ReadTensor(Protocol):
    """Reads a tensor by its name in the checkpoint; raises `KeyError` if it is missing."""

    def __call__(self, name: str, *, exact: bool = False) -> Tensor:
        """Return it in the precision of the model, or in fp32 if ``exact``."""
        ...


def prefix_of(config: Any) -> str:
    """What the names of the tensors begin with; ``hubert``, for example."""
    return str(config.model_type).replace("-", "_")


class TimeMajorConv(nn.Module):
    """An unpadded convolution over ``[n, time, channels]`` as one or two matrix products.

    Kernels are cut at the stride: viewed as ``[n, time / stride, stride x channels]``, the signal
    holds the first taps of each output in one row, so no tap is copied. With a single channel all
    taps are copied into one row: they are few, and a second product would write the widest signal
    twice.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, stride: int) -> None:
        super().__init__()
        n_out, n_in, kernel = weight.shape
        self.kernel, self.stride = kernel, stride
        taps = weight.permute(0, 2, 1)  # [out, kernel, in]
        at_once = kernel if n_in == 1 else stride
        self.products = nn.ModuleList(
            _linear(
                taps[:, first : first + at_once].reshape(n_out, -1).contiguous(),
                bias if first == 0 else None,
            )
            for first in range(0, kernel, at_once)
        )

    def forward(self, signal: Tensor) -> Tensor:
        """``[n, time, n_in]`` -> ``[n, (time - kernel) // stride + 1, n_out]``."""
        n_out = (signal.shape[1] - self.kernel) // self.stride + 1
        rows = [self._taps(signal, first, n_out) for first in range(0, self.kernel, self.stride)]
        if len(rows) > len(self.products):  # a single channel
            rows = [torch.cat(rows, dim=-1)]
        products = zip(self.products, rows, strict=True)
        output: Tensor = reduce(Tensor.add_, (product(taps) for product, taps in products))
        return output

    def _taps(self, signal: Tensor, first: int, n_out: int) -> Tensor:
        """The inputs of up to one stride of taps, from ``first`` on, for each output."""
        n, _, n_in = signal.shape
        n_taps = min(self.stride, self.kernel - first)
        if n_taps == self.stride:
            rows = signal[:, first : first + n_out * self.stride]
            return rows.reshape(n, n_out, self.stride * n_in)
        ends = [first + tap + (n_out - 1) * self.stride + 1 for tap in range(n_taps)]
        taps = [signal[:, first + tap : end : self.stride] for tap, end in enumerate(ends)]
        return taps[0] if n_taps == 1 else torch.cat(taps, dim=-1)


class ChannelNorm(nn.Module):
    """Group norm with one channel per group, over all of time, so padding changes the result."""

    def __init__(self, read: ReadTensor, name: str) -> None:
        super().__init__()
        weight = read(f"{name}.weight")
        self.norm = nn.GroupNorm(weight.shape[0], weight.shape[0], device="meta")
        self.norm.weight = nn.Parameter(weight, requires_grad=False)
        self.norm.bias = nn.Parameter(read(f"{name}.bias"), requires_grad=False)

    def forward(self, signal: Tensor) -> Tensor:
        """``[n, time, channels]`` -> the same shape."""
        return self.norm(signal.transpose(1, 2)).transpose(1, 2).contiguous()  # type: ignore[no-any-return]


class FeatureEncoder(nn.Module):
    """Seven convolutions: a waveform to one vector every 20 ms."""

    def __init__(self, config: Any, read: ReadTensor) -> None:
        super().__init__()
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        self._group_norm = config.feat_extract_norm == "group"
        self.is_local = not self._group_norm
        """Whether a frame depends only on the samples it covers."""
        for index, stride in enumerate(config.conv_stride):
            name = f"{prefix_of(config)}.feature_extractor.conv_layers.{index}"
            bias = read(f"{name}.conv.bias") if config.conv_bias else None
            self.convolutions.append(TimeMajorConv(read(f"{name}.conv.weight"), bias, stride))
            if not self._group_norm:
                self.norms.append(_layer_norm(read, f"{name}.layer_norm", 1e-5))
            elif index == 0:
                self.norms.append(ChannelNorm(read, f"{name}.layer_norm"))

    def forward(self, waveforms: Tensor) -> Tensor:
        """``[n, n_samples]`` -> ``[n, n_frames, width]``."""
        signal = waveforms[:, :, None].contiguous()
        for index, convolution in enumerate(self.convolutions):
            signal = convolution(signal)
            if index < len(self.norms):
                signal = self.norms[index](signal)
            signal = F.gelu(signal)
        return signal


class Layer(nn.Module):
    """One transformer layer, with norms before (*stable*, as in XLSR) or after."""

    def __init__(self, config: Any, read: ReadTensor, name: str) -> None:
        super().__init__()
        self._stable = config.do_stable_layer_norm
        self._n_heads = config.num_attention_heads
        self.query, self.key, self.value = (
            _read_linear(read, f"{name}.attention.{part}_proj") for part in "qkv"
        )
        self.attended = _read_linear(read, f"{name}.attention.out_proj")
        self.attention_norm = _layer_norm(read, f"{name}.layer_norm", config.layer_norm_eps)
        self.wide = _read_linear(read, f"{name}.feed_forward.intermediate_dense")
        self.narrow = _read_linear(read, f"{name}.feed_forward.output_dense")
        self.final_norm = _layer_norm(read, f"{name}.final_layer_norm", config.layer_norm_eps)

    def forward(self, hidden: Tensor, mask: Tensor | None, adapter: nn.Module | None) -> Tensor:
        """``[n, n_frames, width]``, in place; ``mask`` is added to the attention scores."""
        if self._stable:
            hidden = hidden.add_(self._attend(self.attention_norm(hidden), mask))
            hidden = hidden.add_(self._feed_forward(self.final_norm(hidden)))
            return hidden if adapter is None else hidden.add_(adapter(hidden))
        hidden = self.attention_norm(hidden.add_(self._attend(hidden, mask)))
        return self.final_norm(hidden.add_(self._feed_forward(hidden)))  # type: ignore[no-any-return]

    def _attend(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        n, n_frames, width = hidden.shape
        query, key, value = (
            part(hidden).view(n, n_frames, self._n_heads, width // self._n_heads).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        merged = attended.transpose(1, 2).reshape(n, n_frames, width)
        return self.attended(merged)  # type: ignore[no-any-return]

    def _feed_forward(self, hidden: Tensor) -> Tensor:
        return self.narrow(F.gelu(self.wide(hidden)))  # type: ignore[no-any-return]


class PositionalConvolution(nn.Module):
    """The grouped convolution that encodes positions.

    Its weight norm (Salimans and Kingma, 2016), over all but the last dimension, is computed once.
    Older checkpoints name its parts ``weight_g`` and ``weight_v``.
    """

    def __init__(self, config: Any, read: ReadTensor) -> None:
        super().__init__()
        name = f"{prefix_of(config)}.encoder.pos_conv_embed.conv"
        try:
            magnitude = read(f"{name}.weight_g", exact=True)
            direction = read(f"{name}.weight_v", exact=True)
        except KeyError:
            magnitude = read(f"{name}.parametrizations.weight.original0", exact=True)
            direction = read(f"{name}.parametrizations.weight.original1", exact=True)
        bias = read(f"{name}.bias")
        folded = torch._weight_norm(direction, magnitude, dim=2).to(bias.dtype)
        kernel, groups = config.num_conv_pos_embeddings, config.num_conv_pos_embedding_groups
        convolution = nn.Conv1d(
            config.hidden_size,
            config.hidden_size,
            kernel,
            padding=kernel // 2,
            groups=groups,
            device="meta",
        )
        convolution.weight = nn.Parameter(folded, requires_grad=False)
        convolution.bias = nn.Parameter(bias, requires_grad=False)
        self.convolution = widened(convolution)

    def forward(self, hidden: Tensor) -> Tensor:
        """The positional term of ``[n, n_frames, width]``, in the same shape."""
        embedded = self.convolution(hidden.transpose(1, 2)).transpose(1, 2)
        # An even kernel, padded by half at both ends, gives one frame too many.
        return F.gelu(embedded[:, : hidden.shape[1]])


class Adapter(nn.Module):
    """What MMS adds to a layer for one language (Pratap et al., 2023, arXiv:2305.13516)."""

    def __init__(self, read: ReadTensor, name: str) -> None:
        super().__init__()
        self.norm = _layer_norm(read, f"{name}.norm", 1e-5)
        self.narrow = _read_linear(read, f"{name}.linear_1")
        self.wide = _read_linear(read, f"{name}.linear_2")

    def forward(self, hidden: Tensor) -> Tensor:
        """What to add to ``[n, n_frames, width]``."""
        return self.wide(F.relu(self.narrow(self.norm(hidden))))  # type: ignore[no-any-return]


class Head(nn.Module):
    """The layers of one language: the output, and the adapters of checkpoints that have some."""

    def __init__(self, config: Any, read: ReadTensor) -> None:
        super().__init__()
        self.output = _read_linear(read, "lm_head")
        self.adapters: nn.ModuleList | None = None
        if has_adapters(config):
            layers = f"{prefix_of(config)}.encoder.layers"
            self.adapters = nn.ModuleList(
                Adapter(read, f"{layers}.{index}.adapter_layer")
                for index in range(config.num_hidden_layers)
            )


def has_adapters(config: Any) -> bool:
    """Whether the layers have adapters, as in MMS; transformers adds them before norms only."""
    return bool(getattr(config, "adapter_attn_dim", None) and config.do_stable_layer_norm)


class Transformer(nn.Module):
    """Features to the hidden states that a `Head` reads."""

    def __init__(self, config: Any, read: ReadTensor) -> None:
        super().__init__()
        eps, prefix = config.layer_norm_eps, prefix_of(config)
        self._stable = config.do_stable_layer_norm
        self.projection_norm = _layer_norm(read, f"{prefix}.feature_projection.layer_norm", eps)
        self.projection = _read_linear(read, f"{prefix}.feature_projection.projection")
        self.position = PositionalConvolution(config, read)
        self.norm = _layer_norm(read, f"{prefix}.encoder.layer_norm", eps)
        self.layers = nn.ModuleList(
            Layer(config, read, f"{prefix}.encoder.layers.{index}")
            for index in range(config.num_hidden_layers)
        )

    def forward(
        self, features: Tensor, real: Tensor | None, adapters: nn.ModuleList | None
    ) -> Tensor:
        """``[n, n_frames, width]``; see `ContextNetwork` for the arguments."""
        hidden = self.projection(self.projection_norm(features))
        mask = None
        if real is not None:
            hidden = hidden * real[:, :, None]
            # Added to the attention scores, which are of the order of 10.
            mask = (real.to(hidden.dtype)[:, None, None, :] - 1) * 10_000
        hidden = hidden + self.position(hidden)
        if not self._stable:
            hidden = self.norm(hidden)
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden, mask, None if adapters is None else adapters[index])
        if self._stable:
            hidden = self.norm(hidden)
        return hidden  # type: ignore[no-any-return]


class ContextNetwork(nn.Module):
    """The transformer and the head: features to logits."""

    def __init__(self, transformer: Transformer, head: Head) -> None:
        super().__init__()
        self.transformer = transformer
        self.head = head

    def forward(self, features: Tensor, real: Tensor | None = None) -> Tensor:
        """Logits, ``[n, n_frames, n_vocab]``.

        Args:
            features: ``[n, n_frames, width]``, from `FeatureEncoder`.
            real: ``[n, n_frames] bool``, True where not padding; None if nothing is padded.
        """
        hidden = self.transformer(features, real, self.head.adapters)
        return self.head.output(hidden)  # type: ignore[no-any-return]


class SharedLayers(nn.Module):
    """Everything but the head; the languages of one MMS checkpoint share it in memory."""

    def __init__(self, config: Any, read: ReadTensor) -> None:
        super().__init__()
        self.encoder = FeatureEncoder(config, read)
        self.transformer = Transformer(config, read)


class Wav2Vec2(nn.Module):
    """Waveforms to logits."""

    def __init__(self, grid: FrameGrid, shared: SharedLayers, head: Head) -> None:
        super().__init__()
        self._grid = grid
        self.shared = shared
        """Keeps them alive for the next language."""
        self.encoder = shared.encoder
        self.context = ContextNetwork(shared.transformer, head)
        self.encoder_samples = ENCODER_SAMPLES
        self.eval().requires_grad_(False)

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits, ``[n, n_frames, n_vocab]``.

        Args:
            waveforms: ``[n, n_samples]``, zero mean and unit variance before the padding.
            lengths: ``[n] int64``, samples before the padding; None if nothing is padded.
        """
        features = self._encode(waveforms)
        if lengths is None:
            return self._rounded(features) if _rounds(waveforms) else self.context(features)
        grid = self._grid
        n_frames = (lengths - grid.receptive_samples) // grid.stride_samples + 1
        real = torch.arange(features.shape[1], device=features.device) < n_frames[:, None]
        return self.context(features, real)  # type: ignore[no-any-return]

    def _rounded(self, features: Tensor) -> Tensor:
        """The logits of features without padding, computed at a length that has kernels."""
        n, n_frames, _ = features.shape
        n_more = round_up(n_frames, CONTEXT_FRAMES) - n_frames
        real = (torch.arange(n_frames + n_more) < n_frames).expand(n, -1)
        return self.context(F.pad(features, (0, 0, 0, n_more)), real)[:, :n_frames]  # type: ignore[no-any-return]

    def _encode(self, waveforms: Tensor) -> Tensor:
        # Only a GPU gets several rows: it needs wide products, and its cache holds no piece.
        if not self.encoder.is_local or waveforms.is_cuda or len(waveforms) > 1:
            return by_rows(self.encoder, waveforms, self.encoder_samples)
        n_frames = self._grid.n_frames(waveforms.shape[1])
        if _rounds(waveforms):
            n_samples = self._grid.n_samples(round_up(n_frames, ENCODER_FRAMES))
            waveforms = F.pad(waveforms, (0, max(0, n_samples - waveforms.shape[1])))
        pieces = self._grid.pieces(waveforms.shape[1], PIECE_FRAMES)
        features = [self.encoder(waveforms[:, piece]) for piece in pieces]
        return torch.cat(features, dim=1)[:, :n_frames]


def _rounds(waveforms: Tensor) -> bool:
    """Whether each new length costs more than some frames of padding; see `stt.engines.lengths`."""
    return waveforms.dtype == torch.bfloat16 and not waveforms.is_cuda


def _layer_norm(read: ReadTensor, name: str, eps: float) -> nn.LayerNorm:
    weight = read(f"{name}.weight")
    norm = nn.LayerNorm(weight.shape[0], eps=eps, device="meta")
    norm.weight = nn.Parameter(weight, requires_grad=False)
    norm.bias = nn.Parameter(read(f"{name}.bias"), requires_grad=False)
    return norm


def _linear(weight: Tensor, bias: Tensor | None) -> Linear:
    linear = Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    linear.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias, requires_grad=False)
    return linear


def _read_linear(read: ReadTensor, name: str) -> Linear:
    return _linear(read(f"{name}.weight"), read(f"{name}.bias"))
