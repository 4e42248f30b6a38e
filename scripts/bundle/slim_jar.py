"""Copies valetts.jar without what a bundle has no use for, uncompressed, so that the archive around it compresses all.

usage: slim_jar.py JAR OUT [--checks]

The native core stays behind: a bundle builds its own. --checks leaves out the audio decoder, the archive readers,
the spelling of numbers and the Drive client too: the checks need none of them, and their Java has no TLS.
"""
import re
import sys
import zipfile

ALWAYS = r"""
    ai/valetts/engine/jni/linux-x86_64/
  | com/sun/jna/(?!linux-x86-64/)[a-z0-9]+-[a-z0-9-]+/
  | org/jline/nativ/(Windows|Mac|FreeBSD|Linux/(?!x86_64/))
  | org/bytedeco/javacpp/tools/(Generator|Parser|Tokenizer|TokenIndexer|Builder|BuildMojo|CacheMojo)\b
  | META-INF/(maven/(?!org\.bytedeco/)|native-image/|proguard/)
"""
CHECKS = r"""
    org/bytedeco/ffmpeg/[a-z]+-[a-z0-9_]+/
  | org/apache/commons/(?!cli/)
  | com/ibm/icu/
  | com/google/|io/opencensus/|io/grpc/|org/apache/http/
"""


def main(source, target, *options):
    left_out = re.compile(ALWAYS + ("|" + CHECKS if "--checks" in options else ""), re.VERBOSE)
    with zipfile.ZipFile(source) as jar, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as slim:
        for entry in jar.infolist():
            if not entry.is_dir() and not left_out.match(entry.filename):
                slim.writestr(zipfile.ZipInfo(entry.filename, (2026, 1, 1, 0, 0, 0)), jar.read(entry))


main(*sys.argv[1:])
