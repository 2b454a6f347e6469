"""Pairs that a stage makes, used by others: the vocabulary of a bag of words, the same bytes on any ranks and threads and
whatever was spilled, kept on --resume; what does not fit is refused."""
import collections
import random
import shutil
import unittest

from outputs_test import OutputsBase

MPI = shutil.which("mpirun") is not None
WORLDS = [(1, 1), (1, 2)] + ([(2, 1), (3, 2), (4, 1)] if MPI else [])
SOURCE = 'text_lines {{ file: "{folder}/text" }}'
WORDS = 'stage {{ name: "words" source {{ ' + SOURCE + ' }} count_words {{ lower_case: true }} {more} split: 16 }}\n'
BAGS = ('stage {{ name: "bags" source {{ ' + SOURCE + ' }} preprocess {{ bag_of_words {{ from: "words" size: 9 lower_case: true }} }}\n'
        '  {fields} split: 16 }}\n')
SIZE = 9

class PairsTest(OutputsBase):
    def setUp(self):
        super().setUp()
        draw = random.Random(3)
        known = ["w%d" % n for n in range(40)] + ["Tab\\t", "\u00c9t\u00e9", "\u00e9t\u00e9"]
        self.lines = [" ".join(draw.choices(known, weights=[1 / (n + 1) for n in range(len(known))], k=draw.randrange(12)))
                      for _ in range(500)]
        (self.folder / "text").write_text("\n".join(self.lines) + "\n")

    def job(self, *texts, more="", fields='moments { part: "text" }'):
        job = self.folder / "job.txtpb"
        job.write_text("".join(text.format(folder=self.folder, more=more, fields=fields) for text in texts))
        return job

    # What each line has of the most frequent words, by hand.
    def bags(self):
        def words(line):
            return "".join(chr(ord(c) | 32) if "A" <= c <= "Z" else c for c in line).split()
        count = collections.Counter(word for line in self.lines for word in words(line))
        chosen = sorted(count, key=lambda word: (-count[word], word.encode()))[:SIZE]
        return [[words(line).count(word) for word in chosen] for line in self.lines]

    def test_the_vocabulary_is_the_most_frequent_words(self):
        self.run_job(self.job(BAGS, WORDS, fields="collect {}"))
        shape, found = self.arrays("bags.safetensors")["text"]
        self.assertEqual(shape, [len(self.lines), SIZE])
        self.assertEqual(found, [count for bag in self.bags() for count in bag])

    def test_the_same_bytes_for_any_ranks_threads_and_memory(self):
        found = set()
        for more in ("", "memory: 1048576", "reducer { sum {} }"):
            for ranks, threads in WORLDS:
                self.run_job(self.job(BAGS, WORDS, more=more), ranks=ranks, threads=threads)
                found.add(((self.folder_run / "words.tsv").read_bytes(), (self.folder_run / "bags.safetensors").read_bytes()))
        self.assertEqual(len(found), 1)

    def test_kept_pairs_are_read_from_their_table(self):
        job = self.job(BAGS, WORDS)
        self.run_job(job)
        first = (self.folder_run / "bags.safetensors").read_bytes()
        (self.folder_run / "bags.safetensors").unlink()
        said = self.run_job(job, "--resume", fresh=False, ranks=2 if MPI else 1)
        self.assertIn("words.tsv is kept", said)
        self.assertEqual((self.folder_run / "bags.safetensors").read_bytes(), first)
        # Not what the stage wrote.
        with open(self.folder_run / "words.tsv", "a") as table:
            table.write("more\t1\n")
        self.assertNotIn("words.tsv is kept", self.run_job(job, "--resume", fresh=False))

    def test_what_does_not_fit_is_named(self):
        self.refused("job.txtpb:", 'stage "words" makes pairs of a key and a value, wanted arrays',
                     job=self.job(WORDS, 'stage {{ name: "x" from: "words" moments {{}} }}\n'))
        self.refused("job.txtpb:", 'makes no array "key", only: mean',
                     job=self.job('stage {{ name: "words" source {{ ' + SOURCE + ' }} preprocess {{ bag_of_words {{ from: "w" size: 3 }} }}'
                                  ' moments {{ part: "text" }} }}\n', BAGS, WORDS.replace('"words"', '"w"'), fields='moments { part: "text" }'))
        self.refused("cannot keep them for it", job=self.job(BAGS, WORDS, more='output: "words.csv"'))
        self.refused('no stage is named "word"', 'did you mean "words"', job=self.job(BAGS.replace('from: "words"', 'from: "word"'), WORDS))


if __name__ == "__main__":
    unittest.main()
