// Runs GNU cp, and ringcp under the name "cp", with the same arguments on the same files.

#include <gtest/gtest.h>

#include <string>

#include "tests/e2e/gnu_cp_fixture.h"
#include "tests/file_tree.h"

namespace ringcp {
namespace {

using GnuCp = GnuCpFixture;

TEST_P(GnuCp, DoesTheSame) { ExpectTheSame(); }

// The same happens, but the message differs: ringcp does not look at a file before it
// opens or creates it, so it is the opening or creating that fails.
class GnuCpInOtherWords : public GnuCp {};

TEST_P(GnuCpInOtherWords, DoesTheSame) {
  const std::string ringcp = RingcpForAll();
  const Seen expected = See("gnu", ComparedCp());
  const Seen actual = See("our", ringcp);
  EXPECT_EQ(actual.result.exit_code, expected.result.exit_code);
  EXPECT_EQ(actual.result.error.empty(), expected.result.error.empty());
  EXPECT_EQ(DifferenceOfTrees(expected.tree, actual.tree), "");
}

// Neither program copies a tree into itself. How much has been copied when they notice
// depends on the order in which directories list their entries, so that is not compared.
class GnuCpIntoItself : public GnuCp {};

TEST_P(GnuCpIntoItself, RefusesLikewise) {
  const std::string ringcp = RingcpForAll();
  const Seen expected = See("gnu", ComparedCp());
  const Seen actual = See("our", ringcp);
  EXPECT_EQ(actual.result.exit_code, expected.result.exit_code);
  EXPECT_EQ(SortedLines(actual.result.error), SortedLines(expected.result.error));
}

// Known differences. Whoever makes one of these equal moves it to the tables above.
class GnuCpDiffers : public GnuCp {};

TEST_P(GnuCpDiffers, AsIsKnown) {
  const std::string ringcp = RingcpForAll();
  const Seen expected = See("gnu", ComparedCp());
  const Seen actual = See("our", ringcp);
  EXPECT_FALSE(actual.result.exit_code == expected.result.exit_code &&
               SortedLines(actual.result.error) == SortedLines(expected.result.error) &&
               SortedLines(actual.result.output) == SortedLines(expected.result.output) &&
               actual.tree == expected.tree);
}

using testing::Values;

INSTANTIATE_TEST_SUITE_P(
    Targets, GnuCp,
    Values(Situation{"NewName", "", "cp a x"}, Situation{"Overwritten", "", "cp a b"},
           Situation{"IntoDirectory", "", "cp a t"},
           Situation{"SeveralIntoDirectory", "", "cp a b t"},
           Situation{"SeveralIntoMissing", "", "cp a b x"},
           Situation{"SeveralIntoFile", "", "cp a b d/c"},
           Situation{"TargetDirectory", "", "cp -t t a b"},
           Situation{"TargetDirectoryMissing", "", "cp -t x a"},
           Situation{"TargetDirectoryIsFile", "", "cp -t b a"},
           Situation{"TargetDirectoryThroughLink", "", "cp -t ld a"},
           Situation{"NoTargetDirectory", "", "cp -T a x"},
           Situation{"NoTargetDirectoryOnDirectory", "", "cp -T a t"},
           Situation{"NoTargetDirectoryMerges", "printf old > t/c", "cp -rT d t"},
           Situation{"NoTargetDirectoryNew", "", "cp -rT d x"},
           Situation{"NoTargetDirectoryOnLink", "", "cp -T a ld"},
           Situation{"NoTargetDirectoryThroughLink", "ln -s t lt", "cp -rT d lt/"},
           Situation{"NoTargetDirectoryThroughLinkArchive",
                     "ln -s t lt; ln d/c d/e/c2; mkdir t/e", "cp -aT d lt/"},
           Situation{"NoTargetDirectorySlash", "", "cp -T a t/"},
           Situation{"NoTargetDirectorySlashThroughLink", "", "cp -T a ld/"},
           Situation{"NoTargetDirectorySlashNone", "", "cp -nT a t/"},
           Situation{"SlashAfterMissingForLink", "", "cp -P la x/"},
           Situation{"SlashAfterMissingForFifo", "mkfifo p", "cp -r p x/"},
           Situation{"SlashAfterExistingFile", "", "cp a b/; cp -r d b/; cp -n a b/"},
           Situation{"SlashAfterDirectory", "", "cp a t/"},
           Situation{"SlashAfterDanglingForOthers", "mkfifo p",
                     "cp a dangling/; cp -l a dangling/; cp -P la dangling/;"
                     "cp -r p dangling/; cp -s a dangling/; cp -fl a dangling/;"
                     "cp -fP la dangling/; cp -r d dangling/; cp -fr p dangling/; cp -bl "
                     "a dangling/; cp -rb d dangling/; touch ."},
           Situation{"SlashAfterMissing", "", "cp a x/"},
           Situation{"SlashAfterMissingForTree", "", "cp -r d x/"},
           Situation{"SlashAfterDangling", "", "cp a dangling/"},
           Situation{"BelowMissing", "", "cp a x/y"},
           Situation{"BelowFile", "", "cp a b/y; cp -r d b/y; cp nope b/y"},
           Situation{"NameTooLong", "", "cp a $(printf %0300d 0)"},
           Situation{"BehindLoop", "ln -s loop loop", "cp a loop/y; cp a loop"},
           Situation{"WithoutSearching", "chmod 600 t", "cp a t/y; cp -T a t/y", true},
           Situation{"TreeBelowMissing", "", "cp -r d x/y"},
           Situation{"ThroughLinkToDirectory", "", "cp a ld"},
           Situation{"TreeThroughLinkToDirectory", "", "cp -r t ld"},
           Situation{"DotTarget", "", "cp d/c ."},
           Situation{"DotDotTarget", "", "cd t; cp ../a .."}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Sources, GnuCp,
    Values(Situation{"SlashAfterFile", "", "cp a/ x"},
           Situation{"SlashAfterDirectory", "", "cp -r d/ t"},
           Situation{"SlashAfterLink", "", "cp -r ld/ t"},
           Situation{"SlashesAfterDirectory", "", "cp -r d/// t"},
           Situation{"Dot", "", "cp -r d/. t"},
           Situation{"DotIntoNew", "", "cp -r d/. x"},
           Situation{"DotDot", "", "cp -r d/e/.. t"},
           Situation{"DotDotOnly", "", "cd d/e; cp -r .. ../../t"},
           Situation{"Absolute", "", "cp -r \"$PWD/d\" t"},
           Situation{"Missing", "", "cp nope x"},
           Situation{"MissingAmongOthers", "", "cp nope a t"},
           Situation{"BelowFile", "", "cp a/b x"}, Situation{"Empty", "", "cp '' x"},
           Situation{"EmptyTarget", "", "cp a ''"},
           Situation{"EmptyTargetForSeveral", "", "cp a b ''"},
           Situation{"EmptyTargetDirectory", "", "cp -t '' a"},
           Situation{"DirectoryWithoutRecursion", "", "cp d x"},
           Situation{"DirectoryAmongFiles", "", "cp a d b t"},
           Situation{"Twice", "", "cp a a t"},
           Situation{"TwiceUnderOtherNames", "", "cp a ./a t"},
           Situation{"DirectoryTwice", "", "cp -r d d t"},
           Situation{"SameNameFromElsewhere", "mkdir u; printf zeta > u/a", "cp a u/a t"},
           Situation{"SameTreesFromElsewhere", "mkdir -p u/d; printf zeta > u/d/z",
                     "cp -r d u/d t"},
           Situation{"SameNameNoneOverwritten", "mkdir u; printf zeta > u/a",
                     "cp -n a u/a t"},
           Situation{"SameNameNoneOverwrittenForced", "mkdir u; printf zeta > u/a",
                     "cp -fn u/a a t"},
           Situation{"SameNameAfterUnreadable", "mkdir u; printf zeta > u/a; chmod 000 a",
                     "cp a u/a t", true},
           Situation{"SameNameAfterSameFile", "mkdir u; ln a t/a; printf zeta > u/a",
                     "cp a u/a t"},
           Situation{"SameNameHardLinked", "mkdir u; ln a u/a", "cp a u/a t"},
           Situation{"SameNameHardLinkedArchive", "mkdir u; ln a u/a", "cp -a a u/a t"},
           Situation{"SameNameOfLink", "mkdir u; ln -s ../b u/la", "cp -P la u/la t"},
           Situation{"SameNameThroughLink", "mkdir u; ln -s ../b u/a", "cp -P u/a a t"},
           Situation{"SameNameThreeTimes", "mkdir u v; printf u > u/a; printf v > v/a",
                     "cp a u/a v/a t"},
           Situation{"NameTooLong", "", "cp $(printf '%0300d' 0) x"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Conflicts, GnuCp,
    Values(Situation{"SameFile", "", "cp a a"},
           Situation{"SameFileForced", "", "cp -f a a"},
           Situation{"SameFileOtherName", "", "cp a ./a"},
           Situation{"SameFileThroughLink", "", "cp a la"},
           Situation{"SameFileFromLink", "", "cp la a"},
           Situation{"SameFileHardLinked", "ln a h", "cp a h"},
           Situation{"SameFileHardLinkedArchive", "ln a h", "cp -a a h"},
           Situation{"SameLink", "", "cp -P la la"},
           Situation{"SameDirectory", "", "cp -rT d d"},
           Situation{"DirectoryInTheWay", "mkdir t/a", "cp a t"},
           Situation{"FileInTheWay", "printf x > t/d", "cp -r d t"},
           Situation{"DirectoryInTheWayInTree", "mkdir -p t/d/c", "cp -r d t"},
           Situation{"FileInTheWayInTree", "mkdir t/d; printf x > t/d/e", "cp -r d t"},
           Situation{"DirectoryInTheWayOfLink", "mkdir t/la", "cp -P la t"},
           Situation{"DanglingTarget", "", "cp a dangling"},
           Situation{"DanglingTargetForced", "", "cp -f a dangling"},
           Situation{"DanglingTargetInTree", "mkdir t/d; ln -s gone t/d/c", "cp -r d t"},
           Situation{"LinkTarget", "ln -s b lb", "cp a lb"},
           Situation{"LinkTargetInTree", "mkdir t/d; ln -s ../../b t/d/c", "cp -r d t"},
           Situation{"LinkTargetInArchive", "mkdir t/d; ln -s ../../b t/d/c",
                     "cp -a d t"},
           Situation{"LinkToDirectoryInTheWay", "ln -s e t/d; mkdir t/e", "cp -r d t"},
           Situation{"LinkOverFile", "", "cp -P la b"},
           Situation{"LinkOverLink", "ln -s b lb", "cp -P la lb"},
           Situation{"LinkOverDangling", "", "cp -P la dangling"},
           Situation{"FileOverFifo", "mkfifo p", "cp -n a p"},
           Situation{"FullDevice", "", "cp a /dev/full"},
           Situation{"NullDevice", "", "cp a /dev/null"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Links, GnuCp,
    Values(Situation{"FileFollowed", "", "cp la x"},
           Situation{"FileKept", "", "cp -P la x"},
           Situation{"FileKeptD", "", "cp -d la x"},
           Situation{"FileNamed", "", "cp -H la x"},
           Situation{"DirectoryKept", "", "cp -r ld x"},
           Situation{"DirectoryNamed", "", "cp -rH ld x"},
           Situation{"DirectoryFollowed", "", "cp -rL ld x"},
           Situation{"DirectoryNeverFollowed", "", "cp -rP ld x"},
           Situation{"DirectoryWithoutRecursion", "", "cp ld x"},
           Situation{"InTreeKept", "ln -s ../a d/l; ln -s gone d/g", "cp -r d x"},
           Situation{"InTreeNamed", "ln -s ../a d/l; ln -s ../d ln", "cp -rH d ld t"},
           Situation{"InTreeFollowed", "ln -s ../a d/l; ln -s ../t d/m; touch t/z",
                     "cp -rL d x"},
           Situation{"InTreeDanglingFollowed", "ln -s gone d/g", "cp -rL d x"},
           Situation{"DanglingFollowed", "", "cp dangling x"},
           Situation{"DanglingKept", "", "cp -P dangling x"},
           Situation{"Loop", "ln -s loop loop", "cp loop x"},
           Situation{"Cycle", "ln -s .. d/e/up; ln -s . d/self", "cp -rL d x"},
           Situation{"Archive", "ln -s ../a d/l", "cp -a d la x t"},
           Situation{"ArchiveFollowed", "ln -s ../a d/l", "cp -aL d x"},
           Situation{"Empty", "", "cp -rP la ld dangling t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    HardLinks, GnuCp,
    Values(Situation{"KeptInArchive", "ln d/c d/c2; ln d/c d/e/c3", "cp -a d x"},
           Situation{"NotKeptInTree", "ln d/c d/c2", "cp -r d x"},
           Situation{"KeptWithD", "ln d/c d/c2", "cp -rd d x"},
           Situation{"KeptWithPreserve", "ln d/c d/c2", "cp -r --preserve=links d x"},
           Situation{"AcrossSources", "ln a h", "cp -a a h t"},
           Situation{"AcrossSourcesWithD", "ln a h", "cp -d a h t"},
           Situation{"NotWithP", "ln a h", "cp -p a h t"},
           Situation{"OverExisting", "ln a h; printf x > t/a; printf y > t/h",
                     "cp -a a h t"},
           Situation{"OfLinks", "ln -P la lh", "cp -a la lh t"},
           Situation{"MetInTreeAndByName", "ln d/c d/c2", "cp -a d d/c d/c2 t"},
           Situation{"MetInTreeAndInTreeBelow", "ln d/c d/e/c2; ln d/c d/c3",
                     "cp -a d d/e t"},
           Situation{"OfFifosMetAgain", "mkfifo d/p; ln d/p d/p2", "cp -a d d/p t"},
           Situation{"OfFollowedLinksToFifo", "mkfifo p; ln -s p l1; ln -s p l2",
                     "cp -rL --preserve=links l1 l2 p t"},
           Situation{"OfNamedLinksToFifo", "mkfifo p; ln -s p l1",
                     "cp -rH --preserve=links l1 p t"},
           Situation{"AlreadyLinked", "ln a h; ln a t/a; ln a t/h", "cp -a a h t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    SpecialFiles, GnuCp,
    Values(Situation{"FifoInTree", "mkfifo -m 640 d/p", "cp -r d x"},
           Situation{"FifoInArchive", "mkfifo -m 640 d/p", "cp -a d x"},
           Situation{"SpecialBits",
                     "mkfifo p q d/p; chmod 6711 p; chmod 1777 q; chmod 6777 d/p",
                     "cp -r p q d t; cp -a p q d e; umask 077; cp -r d x;"
                     "cp -r --preserve=ownership d y; cp -r --no-preserve=mode d z;"
                     "cp -a --no-preserve=ownership d w"},
           Situation{"SpecialBitsWithoutMode",
                     "for m in 2755 6777 7644 4711 2711 2700 1777 2070; do"
                     " mkfifo d/$m; chmod $m d/$m; mkfifo d/o$m; chown 5:6 d/o$m;"
                     " chmod $m d/o$m; done",
                     "cp -R --preserve=ownership d x; umask 007;"
                     "cp -R --preserve=ownership d y; cp -R --preserve=timestamps d z;"
                     "cp -R --preserve=mode d w"},
           Situation{"SpecialBitsOfOthers",
                     "mkfifo p q d/p; chmod 1777 q;"
                     "chown 5:5 p d/p; chmod 6777 p d/p",
                     "cp -r p q d t; cp -a p d x; cp -r --preserve=ownership d y", true},
           Situation{"Fifo", "mkfifo p", "cp -r p x"},
           Situation{"FifoOverFile", "mkfifo p", "cp -r p b"},
           Situation{"FifosContents", "mkfifo p", "(printf text > p &) ; cp p x"},
           Situation{"NullsContents", "", "cp /dev/null x"},
           Situation{"NullsContentsOverNamesOfOneFile", "ln a h; ln b q; ln -s b lb",
                     "cp -Pv /dev/null a; cp -dv /dev/null lb;"
                     "cp -rv --copy-contents /dev/null q; cp -Pv /dev/null d"},
           Situation{"NullsContentsOverWhatIsFollowed", "ln a h; ln -s a x",
                     "cp -v /dev/null x; cp -rLv --copy-contents /dev/null a"},
           Situation{"PipesContentsOverLink",
                     "mkfifo p; mkdir s; mkfifo s/p; ln -s ../a t/p",
                     "(printf 1 > s/p &); cp -RTv --copy-contents s t;"
                     "ln -s b l; (printf 2 > p &); cp -Pv p l; ln -s b m;"
                     "(printf 3 > p &); cp -v p m"},
           Situation{"NullsAttributesOverNamesOfOneFile", "ln a h",
                     "cp -Pv --attributes-only /dev/null a"},
           Situation{"NullItself", "", "cp -r /dev/null x"},
           Situation{"NullItselfAsNobody", "", "cp -r /dev/null x", true},
           Situation{"ProcFile", "", "cp /proc/version x"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Clobber, GnuCp,
    Values(Situation{"NoneExisting", "", "cp -n a b"},
           Situation{"NoneNew", "", "cp -n a x"},
           Situation{"NoneInTree", "mkdir t/d; printf old > t/d/c", "cp -rn d t"},
           Situation{"NoneForced", "", "cp -nf a b"},
           Situation{"NoneOfSame", "", "cp -n a a"},
           Situation{"NoneVerbose", "", "cp -nv a b"},
           Situation{"NoneOnDirectory", "mkdir t/a", "cp -n a t"},
           Situation{"ReadOnly", "chmod 444 b", "cp a b", true},
           Situation{"ReadOnlyForced", "chmod 444 b", "cp -f a b", true},
           Situation{"ReadOnlyForcedInTree",
                     "mkdir t/d; printf x > t/d/c; chmod 400 t/d/c", "cp -rf d t", true},
           Situation{"LongerOverwritten", "printf 'longer than alpha' > b", "cp a b"},
           Situation{"HardLinkedOverwritten", "ln b h", "cp a b"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Permissions, GnuCp,
    Values(Situation{"SourceUnreadable", "chmod 000 a", "cp a b t", true},
           Situation{"DirectoryUnreadable", "chmod 000 d/e", "cp -r d x", true},
           Situation{"DirectoryUnlistable", "chmod 300 d/e", "cp -r d x", true},
           Situation{"SourceDirectoryUnreadable", "chmod 000 d", "cp -r d x", true},
           Situation{"SourceBelowUnsearchable", "chmod 000 d", "cp d/c x", true},
           Situation{"FileInTreeUnreadable", "chmod 000 d/c", "cp -r d x", true},
           Situation{"TargetUnwritable", "chmod 555 t", "cp a t", true},
           Situation{"TargetUnwritableForTree", "chmod 555 t", "cp -r d t", true},
           Situation{"ReadOnlyDirectories", "chmod 555 d d/e", "cp -r d x", true},
           Situation{"ReadOnlyDirectoriesArchive", "chmod 555 d d/e", "cp -a d x", true},
           Situation{"ReadOnlyDirectoryMerged", "mkdir t/d; chmod 555 t/d", "cp -r d t",
                     true}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Modes, GnuCp,
    Values(
        Situation{"Umask077", "chmod 755 a d; chmod 666 b", "umask 077; cp -r a b d t"},
        Situation{"Umask000", "chmod 777 a; chmod 666 b; chmod 777 d",
                  "umask 0; cp -r a b d t"},
        Situation{"Umask777", "", "umask 777; cp -r a d t"},
        Situation{"ModeOfExistingStays", "chmod 600 b; chmod 755 a", "cp a b"},
        Situation{"Setuid", "chmod 6755 a", "cp a x"},
        Situation{"SetuidKept", "chmod 6755 a", "cp -p a x"},
        Situation{"SetuidInTree", "chmod 6755 d/c", "cp -r d x"},
        Situation{"SetuidInArchive", "chmod 4711 d/c", "cp -a d x"},
        Situation{"SetgidAndStickyKept", "chmod 2775 d; chmod 1777 d/e", "cp -a d x"},
        Situation{"SetgidTarget", "chgrp 12 t; chmod 2775 t", "cp -r a d t"},
        Situation{"SetuidAsNobody", "chmod 6755 a", "cp -p a x", true},
        Situation{"NoMode", "chmod 700 d d/c a", "cp -r --no-preserve=mode d a t"},
        Situation{"NoModeArchive", "chmod 700 d d/c", "cp -a --no-preserve=mode d x"},
        Situation{"ModeOnly", "chmod 750 d; chmod 604 d/c", "cp -r --preserve=mode d x"},
        Situation{"KeptOnExisting", "chmod 600 a; chmod 644 b", "cp -p a b"},
        Situation{"KeptOnExistingDirectory", "chmod 700 d; mkdir t/d; chmod 755 t/d",
                  "cp -rp d t"},
        Situation{"DirectoryNotKept", "chmod 700 d; mkdir t/d; chmod 755 t/d",
                  "cp -r d t"},
        Situation{"Unwritable", "chmod 400 a; chmod 000 b", "cp a b t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Attributes, GnuCp,
    Values(Situation{"None", "", "cp -r d x"}, Situation{"P", "", "cp -rp d a t"},
           Situation{"Archive", "", "cp -a d a la t"},
           Situation{"TimesOnly", "", "cp -r --preserve=timestamps d x"},
           Situation{"OwnershipOnly", "chown 12:34 d/c d/e",
                     "cp -r --preserve=ownership d x"},
           Situation{"OwnershipArchive",
                     "chown 12:34 d/c d/e; ln -s x d/l; chown -h 5:6 d/l", "cp -a d x"},
           Situation{"NotOwnership", "chown 12:34 d/c",
                     "cp -a --no-preserve=ownership d x"},
           Situation{"NotTimes", "", "cp -a --no-preserve=timestamps d x"},
           Situation{"OfOthersAsNobody", "", "cp -p /etc/hostname x", true},
           Situation{"LinksTimes", "", "cp -P --preserve=timestamps la x"},
           Situation{"OverNewer", "touch t/a", "cp -p a t"},
           Situation{"DirectoriesTimesDeep", "mkdir -p d/1/2/3/4; touch d/1/2/3/4/f",
                     "cp -a d x"},
           Situation{"MergedDirectory", "mkdir t/d", "cp -a d t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Verbose, GnuCp,
    Values(Situation{"File", "", "cp -v a x"},
           Situation{"IntoDirectory", "", "cp -v a b t"},
           Situation{"Tree", "ln -s gone d/l; mkfifo d/p", "cp -rv d x"},
           Situation{"TreeMerged", "mkdir t/d t/d/e", "cp -rv d t"},
           Situation{"WhatThenFails", "chmod 0 d/c; chmod 555 t; mkfifo p",
                     "cp -v d/c x; cp -v a gone/x; cp -v a t; cp -v a dangling; cp -v "
                     "gone x; cp -v a a;"
                     "cp -vs d/c t; cp -vl a t; cp -rv p t; cp -vfT a t/b; cp -v d t",
                     true},
           Situation{"DotTree", "", "cp -rv d/. t"},
           Situation{"SlashTree", "", "cp -rv d/ t/"},
           Situation{"TreeNamedWithSlash", "", "cp -rv d x/; cp -rTv d x//"},
           Situation{"TreeThroughLinkWithSlash", "ln -s t lt", "cp -rvT d lt/"},
           Situation{"HardLinks", "ln a h", "cp -av a h t"},
           Situation{"ReadOnlyForced", "chmod 444 b", "cp -fv a b", true},
           Situation{"ForcedOntoLoop", "ln -s loop loop", "cp -fv a loop"},
           Situation{"LinkReplaced", "ln -s b lb", "cp -Pv la lb"},
           Situation{"LinkOverFile", "", "cp -Pv la b"},
           Situation{"LinkOverFileForced", "ln -s ../a d/l; mkdir t/d; touch t/d/l",
                     "cp -rLfv la b; cp -rHfv d t"},
           Situation{"LinkOfSource", "ln -P la lh", "cp -Pv la lh"},
           Situation{"FifoOverFile", "mkfifo p", "cp -rv p b"},
           Situation{"FifoOverLinkedFile", "mkfifo p; ln b h",
                     "cp -rLv --preserve=links p b"},
           Situation{"ArchiveAgain", "ln d/c d/c2; ln -s c d/l; mkfifo d/p",
                     "cp -a d x; cp -av d x; cp -aTv d x"},
           Situation{"LinkedFileReplaced", "ln b h", "cp -dv a b"},
           Situation{"HardLinksReplaced", "ln a h; printf x > t/a; printf y > t/h",
                     "cp -av a h t"},
           Situation{"HardLinksOfLinksReplaced",
                     "ln -P la lh; printf x > t/la; printf y > t/lh", "cp -av la lh t"},
           Situation{"HardLinksOverLinkToLinked",
                     "ln a h; ln b b2; ln -s ../b t/a; ln -s ../b t/h",
                     "cp -Lv --preserve=links a h t"},
           Situation{"StreamOverLinkedFile", "ln b h",
                     "cp -v --preserve=links /dev/null b"},
           Situation{"StreamForced", "chmod 444 b", "cp -fv /dev/null b", true},
           Situation{"Failing", "", "cp -v nope a t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Names, GnuCp,
    Values(Situation{"Space", "", "cp 'no pe' x"},
           Situation{"Quote", "", "cp \"it's\" x"},
           Situation{"Quotes", "", "cp \"it's \\\"so\\\"\" x"},
           Situation{"Newline", "", "cp 'a\nb' x"},
           Situation{"Escape", "", "cp \"$(printf 'a\\033[2Jb')\" x"},
           Situation{"NotUtf8", "", "cp \"$(printf 'a\\377b')\" x"},
           Situation{"Dash", "printf x > ./-r", "cp -- -r x"},
           Situation{"OddTree",
                     "touch \"d/$(printf 'new\\nline')\" \"d/$(printf '\\377')\" 'd/ '",
                     "cp -rv d x"},
           Situation{"Dollar", "", "cp '$HOME' '`x`' 'a;b' '*' t"}),
    NameOf);

// The results must not depend on which of the two names is copied first.
INSTANTIATE_TEST_SUITE_P(
    FurtherNames, GnuCp,
    Values(Situation{"OntoLinkToSource", "ln a h; ln -s ../h t/h",
                     "cp --preserve=links a h t"},
           Situation{"OntoLinkToSourceKept", "ln a h; ln -s ../a t/h", "cp -a a h t"},
           Situation{"OntoHardLinkOfSource", "ln a h; ln h t/h", "cp -a a h t"},
           Situation{"OntoLinkToDirectory", "ln a h; ln -s ../d t/h", "cp -a a h t"},
           Situation{"OntoLoop", "ln a h; ln -s h t/h", "cp -a a h t"},
           Situation{"OntoLoopForced", "ln a h; ln -s h t/h", "cp -af a h t"},
           Situation{"OntoPipesLink", "mkfifo p; ln p q; ln -s ../q t/q", "cp -a p q t"},
           Situation{"OntoPipe", "mkfifo p; ln p q; ln q t/q", "cp -a p q t"},
           Situation{"OntoLink", "ln -P la lb; ln -P lb t/lb", "cp -av la lb t"},
           Situation{"OntoLinksFile", "ln -P la lb; ln a t/lb; ln -s ../a t/a",
                     "cp -a la lb t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    RemoveDestination, GnuCp,
    Values(
        Situation{"File", "", "cp -v --remove-destination a b"},
        Situation{"Nothing", "", "cp -v --remove-destination a x"},
        Situation{"LinkToFile", "ln -s b lb", "cp -v --remove-destination a lb"},
        Situation{"LinkToDirectory", "", "cp -vT --remove-destination a ld"},
        Situation{"Dangling", "", "cp -v --remove-destination a dangling"},
        Situation{"DanglingPosix", "",
                  "POSIXLY_CORRECT=1 cp -v --remove-destination a dangling"},
        Situation{"Loop", "ln -s loop loop", "cp -v --remove-destination a loop"},
        Situation{"Pipe", "mkfifo p", "cp -v --remove-destination a p"},
        Situation{"Stream", "", "cp -v --remove-destination /dev/null b"},
        Situation{"StreamOntoLink", "", "cp -v --remove-destination /dev/null la"},
        Situation{"StreamNone", "", "cp -nv --remove-destination /dev/null dangling"},
        Situation{"Forced", "chmod 444 b", "cp -fv --remove-destination a b", true},
        Situation{"NotPermitted", "chmod 555 .",
                  "cp --remove-destination a b; e=$?; chmod 755 .; exit $e", true},
        Situation{"None", "", "cp -nv --remove-destination a b"},
        Situation{"NoneOfDangling", "", "cp -nv --remove-destination a dangling"},
        Situation{"SameFile", "", "cp -v --remove-destination a a"},
        Situation{"SameFileOfSeveralNames", "ln a h", "cp -v --remove-destination a a"},
        Situation{"HardLink", "ln a h", "cp -v --remove-destination a h"},
        Situation{"HardLinkKept", "ln a h", "cp -dv --remove-destination a h"},
        Situation{"LinkToSource", "", "cp -v --remove-destination a la"},
        Situation{"OntoWhatItLeadsTo", "", "cp -v --remove-destination la a"},
        Situation{"OntoWhatItLeadsToKept", "", "cp -Pv --remove-destination la a"},
        Situation{"OntoAnotherNameOfThat", "ln a h", "cp -v --remove-destination la h"},
        Situation{"LinkOntoItself", "", "cp -Pv --remove-destination la la"},
        Situation{"LinksToOneFile", "ln -s a lb", "cp -v --remove-destination la lb"},
        Situation{"LinksToOneFileKept", "ln -s a lb",
                  "cp -Pv --remove-destination la lb"},
        Situation{"NamesOfOneLink", "ln -P la lb", "cp -v --remove-destination la lb"},
        Situation{"NamesOfOneLinkKept", "ln -P la lb",
                  "cp -Pv --remove-destination la lb"},
        Situation{"NamesOfOnePipe", "mkfifo p; ln p q",
                  "cp -rv --remove-destination p q"},
        Situation{"LinkToPipe", "mkfifo p; ln -s p q", "cp -rv --remove-destination p q"},
        Situation{"Directory", "mkdir t/a", "cp -v --remove-destination a t"},
        Situation{"Tree", "mkdir -p t/d/e; printf x > t/d/c; ln t/d/c other",
                  "cp -rv --remove-destination d t"},
        Situation{"TreeOntoLink", "ln -s ../d/e t/d", "cp -rv --remove-destination d t"},
        Situation{"FurtherNames", "ln a h; printf x > t/a; printf y > t/h",
                  "cp -a --remove-destination a h t"},
        Situation{"FurtherNameOntoHardLink", "ln a h; ln h t/h",
                  "cp -a --remove-destination a h t"},
        Situation{"FurtherNameOntoLinkToSource", "ln a h; ln -s ../h t/h",
                  "cp -a --remove-destination a h t"},
        Situation{"JustCreated", "mkdir u; ln -s ../b u/a",
                  "cp -Pv --remove-destination u/a a t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    CommandLine, GnuCp,
    Values(Situation{"Nothing", "", "cp"}, Situation{"OneOperand", "", "cp a"},
           Situation{"ExtraOperand", "", "cp -T a b t"},
           Situation{"TandT", "", "cp -T -t t a"},
           Situation{"TTwice", "", "cp -t t -t d a"},
           Situation{"InvalidOption", "", "cp -y a x"},
           Situation{"UnrecognizedOption", "", "cp --yes a x"},
           Situation{"MissingArgument", "", "cp a -t"},
           Situation{"NeedlessArgument", "", "cp --force=yes a x"},
           Situation{"BadAttribute", "", "cp --preserve=colour a x"},
           Situation{"EmptyAttribute", "", "cp --preserve=mode, a x"},
           Situation{"BadReflink", "", "cp --reflink=maybe a x"},
           Situation{"Abbreviated", "", "cp --rec --no-t d x"},
           Situation{"Permuted", "", "cp a t -p b"},
           Situation{"PosixlyCorrect", "", "POSIXLY_CORRECT=1 cp a -p t"},
           Situation{"DashDash", "printf x > ./-p", "cp -- a -p t"},
           Situation{"ReflinkAlwaysImpossible", "", "cp --reflink /dev/null x; rm -f x"},
           Situation{"ReflinkNever", "", "cp --reflink=never a x"},
           Situation{"ReflinkAcross", "", "cp --reflink=always /proc/version x; rm -f x"},
           // Later versions of GNU cp start messages without the path, so sed removes it.
           Situation{"FullPath", "",
                     "$(command -v cp) 2>&1 | sed 's,^/.*/cp:,cp:,; s,/.*/,DIR/,'"},
           Situation{"ClosedOutput", "", "cp -v a x >&-"},
           Situation{"ClosedOutputUnused", "", "cp a x >&-"},
           Situation{"ClosedEverything", "", "cp -v a nope t <&- >&- 2>&-"},
           Situation{"FullOutput", "", "cp -v a x > /dev/full"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Targets, GnuCpInOtherWords,
    Values(Situation{"TreeOnLink", "", "cp -rT d ld"},
           Situation{"SlashAfterFile", "", "cp a b/"},
           Situation{"BelowFile", "", "cp a b/x"},
           Situation{"NameTooLong", "", "cp a $(printf '%0300d' 0)"},
           Situation{"Unsearchable", "chmod 000 t", "cp a t", true},
           Situation{"UnsearchableForSeveral", "chmod 600 t", "cp a b t", true},
           Situation{"SourceUnsearchable", "chmod 600 d/e", "cp -r d x", true}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(Sources, GnuCpIntoItself,
                         Values(Situation{"IntoItselfBelow", "", "cp -r d d/x"},
                                Situation{"IntoItselfBelowWithSlash", "", "cp -r d d/x/"},
                                Situation{"IntoItself", "", "cp -r d d"},
                                Situation{"IntoItselfDeeper", "", "cp -r d d/e"},
                                Situation{"IntoItselfDot", "", "cp -r . t"}),
                         NameOf);

INSTANTIATE_TEST_SUITE_P(
    Details, GnuCp,
    Values(Situation{"SameTreesWithSameFile", "mkdir -p u/d; printf zeta > u/d/c",
                     "cp -r d u/d t"},
           Situation{"OfFollowedLinks", "", "cp -L --preserve=links a la t"},
           Situation{"SetgidAndSticky", "chmod 2775 d; chmod 1777 d/e", "cp -r d x"},
           Situation{"NoneOfDangling", "", "cp -n a dangling"},
           Situation{"DanglingTargetPosix", "", "POSIXLY_CORRECT=1 cp a dangling"},
           Situation{"DanglingTargetPosixArchive", "chmod 640 a",
                     "POSIXLY_CORRECT=1 cp -a a dangling"},
           Situation{"DanglingTargetPosixInTree", "mkdir t/d; ln -s gone t/d/c",
                     "POSIXLY_CORRECT=1 cp -r d t"},
           Situation{"DanglingTargetPosixForced", "mkdir -m 555 shut; ln -s shut/x into",
                     "POSIXLY_CORRECT=1 cp -f a into", true},
           Situation{"DanglingTargetPosixNone", "", "POSIXLY_CORRECT=1 cp -n a dangling"},
           Situation{"DanglingTargetPosixStream", "",
                     "POSIXLY_CORRECT=1 cp /dev/null dangling"},
           Situation{"DanglingTargetPosixStreamKept", "",
                     "POSIXLY_CORRECT=1 cp --preserve=ownership /dev/null dangling"},
           Situation{"NoneUnreadable", "chmod 000 a", "cp -n a b", true},
           Situation{"NoneUnreadableNew", "chmod 000 a", "cp -n a x", true},
           Situation{"NoneMissing", "", "cp -n nope b"},
           Situation{"FifoOverFileFollowing", "mkfifo p", "cp -rL p b"},
           Situation{"FifoOverFileFollowingNamed", "mkfifo p", "cp -rH p b"},
           Situation{"FifoOverFileForced", "mkfifo p", "cp -rLf p b"},
           Situation{"FifoOverLinkedFile", "mkfifo p; ln b h",
                     "cp -rL --preserve=links p b"},
           Situation{"LinkOverFileInTreeNamed",
                     "ln -s ../a d/l; mkdir t/d; printf x > t/d/l", "cp -rH d t"},
           Situation{"LinkOverFileInTreeForced",
                     "ln -s ../a d/l; mkdir t/d; printf x > t/d/l", "cp -rHf d t"},
           Situation{"LinkOverFileInTreeNone",
                     "ln -s ../a d/l; mkdir t/d; printf x > t/d/l", "cp -rHn d t"},
           Situation{"ForcedOntoFifo", "mkfifo -m 0 p", "cp -f a p", true},
           Situation{"UnwritableFifo", "mkfifo -m 0 p", "cp a p", true},
           Situation{"Holes", "truncate -s 3M holes; printf x >> holes",
                     "cp holes x; cmp holes x; du -k x"}),
    NameOf);

// A device or pipe that is written to keeps its attributes: nobody wants /dev/null to get
// the mode of a file that was copied to it.
INSTANTIATE_TEST_SUITE_P(
    Details, GnuCpDiffers,
    Values(Situation{"ModeOfFifo", "mkfifo p; chmod 600 a",
                     "(cat p > /dev/null &) ; cp -p a p"},
           // GNU cp removes the link that it is about to copy.
           Situation{"LinkRemovedOntoItself", "", "cp --remove-destination la la"},
           // GNU cp says that it removed a name that stays as it is.
           Situation{"FurtherNameKept", "ln d/c d/c2", "cp -au d x; cp -auv d/. x"},
           // GNU cp renames the target before it opens the source.
           Situation{"BackupForUnreadable", "chmod 0 a", "cp -bv a b", true},
           // If GNU cp has made a directory above a source, it takes that one's target
           // for new, and also the next one's if that has no directories above it.
           Situation{"ParentsOfContents", "", "cp -r --parents d/. t"},
           Situation{"ParentsAndThenNone", "printf old > t/a", "cp --parents d/c a t"},
           // GNU cp ends with the parents of one source before it goes on to the next
           // one, which changes the times again, or can't write there any more.
           Situation{"ParentsTimesOfSeveral", "", "cp -p --parents d/e/g d/c t"},
           Situation{"ParentsReadOnlyOfSeveral", "ln d/c d/h; chmod 555 d",
                     "cp --parents d/c d/h t; chmod 755 d t/d", true},
           // GNU cp leaves it with the mode that it has while it is filled.
           Situation{"ParentsModeIfNextIsMissing", "chmod 555 d",
                     "cp --parents d/no/x t; chmod 755 d", true}),
    NameOf);

}  // namespace
}  // namespace ringcp
