#!/usr/bin/env bash
# Makes four small Brazilian Portuguese data folders: sentences written for this project, spoken by espeak-ng's pt-br
# voice in four variants. For trying several speakers and a second language; a voice trained on it sounds like a robot.
#
#   ./scripts/make-pt-br-corpus.sh DIR
#
# Each of DIR/{ana,bruno,carla,davi} is an LJSpeech-style folder: metadata.csv and wavs/. Existing ones are written anew.
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "usage: $0 DIR" >&2
  exit 2
fi
if ! command -v espeak-ng >/dev/null; then
  echo "espeak-ng is missing; install it with: sudo apt-get install espeak-ng" >&2
  exit 2
fi

sentences() {
  cat <<'TEXT'
Bom dia! Hoje o sol nasceu por trás da serra.
A padaria da esquina abre às seis da manhã.
Você já tomou café ou prefere um suco de manga?
Minha avó fazia pão de queijo todo domingo.
O ônibus atrasou porque choveu a noite inteira.
Ninguém sabia onde estava a chave do portão.
As crianças correram até a beira do rio.
Que saudade daquele cheiro de terra molhada!
O violão ficou encostado na parede da sala.
Amanhã vamos à feira comprar abacaxi e feijão.
Ele não quis ouvir nenhuma explicação.
A lua cheia iluminava a areia da praia.
Por favor, feche a janela antes de sair.
Meu irmão trabalha com madeira desde menino.
A professora escreveu três frases no quadro.
Quantos anos você faz em setembro?
O trem passou devagar pela velha estação.
Elas plantaram limoeiros no fundo do quintal.
Chegou uma carta sem nome e sem endereço.
Os pescadores voltaram com as redes cheias.
Na volta, a gente para e descansa um pouco.
O gato dorme em cima do muro quente.
Essa canção me lembra o carnaval passado.
Trouxe lã azul para tricotar um cachecol.
Não há nada como água fresca no verão.
O relógio da igreja bateu onze horas.
Cuidado com o degrau quebrado da escada!
Vizinhos e amigos dividiram o bolo de milho.
Choveu granizo em pleno mês de julho.
A estrada de barro termina perto da fazenda.
Será que o avião já pousou em Belém?
Guardei as fotografias numa caixa de sapatos.
Depois do jogo, todos cantaram abraçados.
O médico pediu repouso e muita paciência.
Uma borboleta amarela pousou no meu ombro.
Quem planta vento colhe tempestade, dizia meu pai.
As luzes da cidade piscavam ao longe.
Ontem aprendi a remar contra a corrente.
O pinhão assado é melhor perto da fogueira.
Boa noite, durma bem, até amanhã cedo.
TEXT
}

target=$1
for speaker in ana:f2 bruno:m1 carla:f4 davi:m3; do
  name=${speaker%%:*}
  variant=${speaker##*:}
  folder=$target/$name
  mkdir -p "$folder/wavs"
  : >"$folder/metadata.csv"
  number=0
  while IFS= read -r sentence; do
    number=$((number + 1))
    clip=$(printf '%s_%03d' "$name" "$number")
    espeak-ng -v "pt-br+$variant" -w "$folder/wavs/$clip.wav" "$sentence"
    printf '%s|%s\n' "$clip" "$sentence" >>"$folder/metadata.csv"
  done < <(sentences)
  echo "$folder: $number clips"
done
