"""Trains with the public reference's own modules (p0p4k/vits2_pytorch), imported from a checkout given by path.

The order of a step, its detach points and its optimizers are those that the reference's training script documents; the
networks, losses, spectrograms, segments and norms are its own code. Left out is what needs other libraries: librosa's mel
filters are computed here, and its Cython alignment search is compiled in a temporary folder.
"""
import contextlib
import importlib
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import types

import numpy as np
import torch

import draws as keyed


def _slaney_mel(sr, n_fft, n_mels, fmin=0.0, fmax=None):
    """Triangular filters on the mel scale of Slaney's Auditory Toolbox, each of unit area: what librosa gives."""
    fmax = fmax or sr / 2

    def to_mel(hz):
        hz = np.asarray(hz, dtype=np.float64)
        return np.where(hz < 1000.0, hz * 3.0 / 200.0, 15.0 + np.log(np.maximum(hz, 1e-9) / 1000.0) * 27.0 / np.log(6.4))

    def to_hz(mel):
        mel = np.asarray(mel, dtype=np.float64)
        return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0))

    edges = to_hz(np.linspace(to_mel(fmin), to_mel(fmax), n_mels + 2))
    bins = np.arange(n_fft // 2 + 1) * sr / n_fft
    rising = (bins[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0.0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


def _stand_in(name, **members):
    """A module that is imported, but of which next to nothing is used."""
    module = types.ModuleType(name)
    module.__dict__.update(members)
    module.__getattr__ = lambda attribute: None
    sys.modules[name] = module
    return module


def build_alignment_search(checkout, folder):
    """Compiles the reference's Cython search into `folder` as the package monotonic_align.

    Returns how: its set-up script's plain flags, without -fopenmp.
    """
    source = os.path.join(checkout, "monotonic_align")
    package = os.path.join(folder, "monotonic_align")
    inner = os.path.join(package, "monotonic_align")
    os.makedirs(inner)
    shutil.copy(os.path.join(source, "__init__.py"), package)
    shutil.copy(os.path.join(source, "core.pyx"), inner)
    open(os.path.join(inner, "__init__.py"), "w").close()
    subprocess.run([sys.executable, "-m", "cython", "-3", "core.pyx"], cwd=inner, check=True, capture_output=True)
    paths = __import__("sysconfig").get_paths()
    include = {paths["include"], paths["platinclude"], np.get_include()}
    subprocess.run([os.environ.get("CC", "gcc"), "-O3", "-fwrapv", "-fPIC", "-shared", "-w", *("-I" + path for path in include),
                    "core.c", "-o", "core.so"], cwd=inner, check=True, capture_output=True)
    return "its Cython, -O3 and no OpenMP, as its set-up script builds it"


def _write_plain_search(folder):
    """The same search without a compiler, vectorised over batch and text."""
    package = os.path.join(folder, "monotonic_align")
    os.makedirs(package, exist_ok=True)
    with open(os.path.join(package, "__init__.py"), "w") as file:
        file.write("from plain_search import maximum_path\n")
    return "a numpy search of this driver: Cython or a C compiler is missing"


class Reference:
    """The checkout's modules, imported once in this process."""

    def __init__(self, checkout):
        self.checkout = os.path.abspath(checkout)
        if not os.path.isfile(os.path.join(self.checkout, "models.py")):
            sys.exit(f"{checkout} is no checkout of the reference: it has no models.py")
        self._folder = tempfile.TemporaryDirectory(prefix="valetts-peer-")
        try:
            self.search = build_alignment_search(self.checkout, self._folder.name)
        except (subprocess.CalledProcessError, FileNotFoundError, ImportError) as error:
            shutil.rmtree(os.path.join(self._folder.name, "monotonic_align"), ignore_errors=True)
            self.search = _write_plain_search(self._folder.name) + f" ({error})"
        try:
            import librosa.filters  # noqa: F401
        except ImportError:
            filters = _stand_in("librosa.filters", mel=lambda **given: _slaney_mel(**given))
            _stand_in("librosa", filters=filters, util=_stand_in("librosa.util"), __path__=[])
        for name in ("scipy", "scipy.io", "scipy.io.wavfile", "scipy.signal"):
            try:
                importlib.import_module(name)
            except ImportError:
                _stand_in(name, __path__=[])
        try:
            importlib.import_module("packaging.version")
        except ImportError:
            version = types.SimpleNamespace(parse=lambda text: tuple(int(part) for part in text.split("+")[0].split(".")[:2])
                                            if "." in text else (int(text),))
            _stand_in("packaging", version=version)
        sys.path[:0] = [self._folder.name, self.checkout]
        self.models, self.losses, self.commons, self.mel = (
            importlib.import_module(name) for name in ("models", "losses", "commons", "mel_processing"))

    def commit(self):
        found = subprocess.run(["git", "-C", self.checkout, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
        return found.stdout.strip() or "a copy without its history"


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin).view(entry["shape"])
    return tensors


class Batch:
    """One batch as the reference's collation leaves it: padded to its own longest, with spectrograms."""

    def __init__(self, export, index, audio, reference, device):
        given = export["batches"][index]
        sounds = np.fromfile(os.path.join(export["folder"], f"batch-{index}.f32"), dtype="<f4")
        self.ids = given["ids"]
        lengths, hop = given["samples"], audio["hopLength"]
        wav = torch.zeros(len(lengths), 1, max(lengths))
        text = torch.zeros(len(lengths), max(map(len, given["tokens"])), dtype=torch.long)
        spectrograms, begin = [], 0
        for row, (count, tokens) in enumerate(zip(lengths, given["tokens"])):
            wav[row, 0, :count] = torch.from_numpy(sounds[begin:begin + count])
            text[row, :len(tokens)] = torch.tensor(tokens)
            spectrograms.append(reference.mel.mel_spectrogram_torch(wav[row, :, :count], *mel_arguments(audio))[0])
            begin += count
        frames = [s.size(1) for s in spectrograms]
        padded = torch.zeros(len(lengths), audio["melBins"], max(frames))
        for row, spectrogram in enumerate(spectrograms):
            padded[row, :, :frames[row]] = spectrogram
        place = [text, torch.tensor([len(t) for t in given["tokens"]]), padded, torch.tensor(frames), wav]
        if device.type == "cuda":
            place = [tensor.pin_memory() for tensor in place]
        self.tensors, self.hop = place, hop
        self.seconds = sum(lengths) / audio["sampleRateHz"]
        self.padded_seconds = len(lengths) * max(lengths) / audio["sampleRateHz"]

    def __len__(self):
        return len(self.ids)


def mel_arguments(audio):
    return (audio["fftSize"], audio["melBins"], audio["sampleRateHz"], audio["hopLength"], audio["winLength"],
            audio["melMinHz"], audio["melMaxHz"] or None)


class Trainer:
    """The reference's three networks with weights exported by us, and one training step."""

    def __init__(self, reference, export, device, half):
        self.reference, self.device, self.export = reference, device, export
        model, optimizer = export["model"], export["optimizer"]
        self._check(model)
        self.audio, self.segment = export["audio"], export["segmentSamples"]
        models = reference.models
        speakers = model["speakerCount"] if model["speakerCount"] > 1 else 0
        width = model["speakerChannels"] if speakers else 0
        self.noise_scaled = model["noiseScaledAlignment"]
        self.generator = models.SynthesizerTrn(
            model["vocabularySize"], self.audio["melBins"], self.segment // self.audio["hopLength"],
            inter_channels=model["interChannels"], hidden_channels=model["hiddenChannels"],
            filter_channels=model["filterChannels"], n_heads=model["attentionHeads"], n_layers=model["encoderLayers"],
            kernel_size=model["encoderKernelSize"], p_dropout=model["dropout"], resblock=str(model["resblockKind"]),
            resblock_kernel_sizes=model["resblockKernelSizes"], resblock_dilation_sizes=model["resblockDilations"],
            upsample_rates=model["upsampleRates"], upsample_initial_channel=model["upsampleInitialChannels"],
            upsample_kernel_sizes=model["upsampleKernelSizes"], n_speakers=speakers, gin_channels=width,
            use_sdp=model["durationPredictor"] == "stochastic", use_transformer_flows=model["flow"] != "plain",
            transformer_flow_type=model["flow"] if model["flow"] != "plain" else "pre_conv",
            use_spk_conditioned_encoder=bool(speakers and model["speakerConditionedEncoder"]),
            use_noise_scaled_mas=self.noise_scaled, mas_noise_scale_initial=0.01, noise_scale_delta=2e-6)
        self.discriminator = models.MultiPeriodDiscriminator(False)
        # The reference's multi-speaker script overwrites the kind with the list of all and so trains without: here the kind
        # is chosen by name.
        kinds = {"v1": models.DurationDiscriminatorV1, "v2": models.DurationDiscriminatorV2}
        kind = kinds.get(model["durationDiscriminator"])
        hidden = model["hiddenChannels"]
        self.duration = kind(hidden, hidden, 3, 0.1, gin_channels=width) if kind else None
        for network, file in self._networks():
            self._load(network, os.path.join(export["folder"], "weights", file))
            network.to(device).train()
        self.optimizers = [
            torch.optim.AdamW(network.parameters(), optimizer["learningRate"], betas=(optimizer["beta1"], optimizer["beta2"]),
                              eps=optimizer["epsilon"]) for network, _ in self._networks()]
        self.mel_weight, self.kl_weight = optimizer["melWeight"], optimizer["klWeight"]
        self.half = half
        self.scaler = torch.amp.GradScaler(device.type, enabled=half == torch.float16)

    def _networks(self):
        networks = [(self.generator, "generator.safetensors"), (self.discriminator, "discriminator.safetensors")]
        return networks + ([(self.duration, "duration_discriminator.safetensors")] if self.duration else [])

    @staticmethod
    def _check(model):
        fixed = {"discriminatorWidthDivisor": 1, "posteriorLayers": 16, "flowCouplings": 4, "flowLayers": 4,
                 "posteriorInput": "mel"}
        wrong = [f"model.{key} is {model[key]}, the reference has {value}" for key, value in fixed.items() if model[key] != value]
        if wrong:
            sys.exit("; ".join(wrong))

    @staticmethod
    def _load(network, path):
        missing, unknown = network.load_state_dict(read_safetensors(path), strict=False)
        # The reference's second transformer of each coupling is never called, and so is not exported.
        missing = [name for name in missing if ".post_transformer." not in name]
        if missing or unknown:
            sys.exit(f"{path}: weights that do not fit: missing {missing[:3]}, unknown {unknown[:3]}")

    def _autocast(self):
        return torch.autocast(self.device.type, dtype=self.half or torch.bfloat16, enabled=self.half is not None)

    def step(self, batch, index):
        """One step of discriminators, duration discriminator and generator. Returns tensors and norms by name."""
        losses, commons = self.reference.losses, self.reference.commons
        text, text_lengths, spec, spec_lengths, wav = (t.to(self.device, non_blocking=True) for t in batch.tensors)
        if self.noise_scaled:
            self.generator.current_mas_noise_scale = max(0.0, 0.01 - 2e-6 * index)
        hop = self.audio["hopLength"]
        optimizer_g, optimizer_d = self.optimizers[:2]
        full = torch.autocast(self.device.type, enabled=False)
        out, norms = {}, {}
        with self._autocast():
            fake, length_loss, _, starts, text_mask, frame_mask, latents, durations = self.generator(
                text, text_lengths, spec, spec_lengths)
            _, z_p, m_p, logs_p, _, logs_q = latents
            hidden, log_predicted, log_found = durations
            mel_real = commons.slice_segments(spec, starts, self.segment // hop)
            mel_fake = self.reference.mel.mel_spectrogram_torch(fake.squeeze(1).float(), *mel_arguments(self.audio))
            real = commons.slice_segments(wav, starts * hop, self.segment)
            real_scores, fake_scores, _, _ = self.discriminator(real, fake.detach())
            with full:
                out["discriminator"], _, _ = losses.discriminator_loss(real_scores, fake_scores)
            if self.duration:
                real_scores, fake_scores = self.duration(hidden.detach(), text_mask.detach(), log_found.detach(),
                                                         log_predicted.detach())
                with full:
                    out["durationDiscriminator"], _, _ = losses.discriminator_loss(real_scores, fake_scores)
        if self.duration:
            norms["durationDiscriminator"] = self._apply(self.optimizers[2], self.duration, out["durationDiscriminator"])
        norms["discriminator"] = self._apply(optimizer_d, self.discriminator, out["discriminator"])

        with self._autocast():
            _, fake_scores, real_maps, fake_maps = self.discriminator(real, fake)
            if self.duration:
                _, fake_durations = self.duration(hidden, text_mask, log_found, log_predicted)
            with full:
                out["duration"] = torch.sum(length_loss.float())
                out["mel"] = torch.nn.functional.l1_loss(mel_real, mel_fake) * self.mel_weight
                out["kl"] = losses.kl_loss(z_p, logs_q, m_p, logs_p, frame_mask) * self.kl_weight
                out["featureMatching"] = losses.feature_loss(real_maps, fake_maps)
                out["adversarial"], _ = losses.generator_loss(fake_scores)
                total = out["adversarial"] + out["featureMatching"] + out["mel"] + out["duration"] + out["kl"]
                if self.duration:
                    out["durationAdversarial"], _ = losses.generator_loss(fake_durations)
                    total = total + out["durationAdversarial"]
                out["generator"] = total
        norms["generator"] = self._apply(optimizer_g, self.generator, total)
        self.scaler.update()
        return out, norms

    def _apply(self, optimizer, network, loss):
        optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(optimizer)
        # With None it clips nothing and only measures: one read from the device for each parameter, as shipped.
        norm = self.reference.commons.clip_grad_value_(network.parameters(), None)
        self.scaler.step(optimizer)
        return norm

    @contextlib.contextmanager
    def drawing(self, batch, seed, step):
        """While it lasts, the reference's random numbers are our draws of that step, in the order it asks for them."""
        source = keyed.Draws(seed, step, batch.ids)
        device = self.device
        segments = [source.uniform(keyed.SEGMENT, 1, 1).reshape(-1)]
        sites = iter(range(1 << 12))
        # Layers of the wave network call a dropout that drops nothing, and that ours has not.
        uncounted = {id(module.drop) for module in self.generator.modules() if type(module).__name__ == "WN"}

        asked = iter((keyed.POSTERIOR, keyed.ALIGNMENT))

        def randn_like(x, **_):
            if next(asked) == keyed.POSTERIOR:
                return torch.from_numpy(source.normal(keyed.POSTERIOR, x.size(1), x.size(2))).to(device, x.dtype)
            values = source.normal(keyed.ALIGNMENT, x.size(2), x.size(1))
            return torch.from_numpy(values).transpose(1, 2).to(device, x.dtype)

        def rand(shape, **_):
            return torch.from_numpy(segments.pop()).view(shape)

        def dropout(module, x):
            if id(module) in uncounted:
                return x
            site = next(sites)
            if module.p <= 0.0 or not module.training:
                return x
            if x.dim() == 4:
                batch_size, heads, time, _ = x.shape
                mask = source.keep_mask(site, time * heads, time, module.p).reshape(batch_size, time, heads, time)
                return x * torch.from_numpy(mask).permute(0, 2, 1, 3).to(device, x.dtype)
            return x * torch.from_numpy(source.keep_mask(site, x.size(1), x.size(2), module.p)).to(device, x.dtype)

        saved = torch.randn_like, torch.rand, torch.nn.Dropout.forward
        torch.randn_like, torch.rand, torch.nn.Dropout.forward = randn_like, rand, dropout
        try:
            yield
        finally:
            torch.randn_like, torch.rand, torch.nn.Dropout.forward = saved


def read_export(folder):
    with open(os.path.join(folder, "batches.json")) as file:
        export = json.load(file)
    export["folder"] = folder
    return export
