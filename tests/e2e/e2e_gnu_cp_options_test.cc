// The options of GNU cp, each beside the things that it may meet: GNU cp, and ringcp
// under the name "cp", run with the same arguments on the same files.

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/gnu_cp_fixture.h"

namespace ringcp {
namespace {

using GnuCpOptions = GnuCpFixture;

TEST_P(GnuCpOptions, DoTheSame) { ExpectTheSame(); }

using testing::Values;

// Prints what symbolic links lead to below the current directory, which differs, and
// removes them.
#define SHOW_LINKS                         \
  "for l in $(find . -type l | sort); do " \
  "echo $l $(readlink $l | sed \"s|$PWD||\"); rm $l; done"

INSTANTIATE_TEST_SUITE_P(
    Parsing, GnuCpOptions,
    Values(Situation{"AbbreviatedInSpiteOfOurs", "", "cp --pr a x && cp --no-c b x"},
           Situation{"AbbreviatedToOneLetter", "", "cp --l a x; cp --u b x; cp --f b x"},
           Situation{"AmbiguousAmongGnus", "", "cp --no a x"},
           Situation{"NoArgumentPermitted", "", "cp --link=x a x"},
           Situation{"PosixlyCorrect", "", "POSIXLY_CORRECT=1 cp a x -r"},
           Situation{"AfterDashes", "", "cp -- a -r"},
           Situation{"DashAmongLetters", "", "cp -a- a x; cp -v-r a x"},
           Situation{"UnknownLetter", "", "cp -rQ d x"},
           Situation{"UnknownWord", "", "cp --quick d x"}),
    NameOf);

// What GNU cp's own tests have found.
INSTANTIATE_TEST_SUITE_P(
    OwnTests, GnuCpOptions,
    Values(Situation{"ThroughJustCreatedLink",
                     "mkdir x y; ln -s ../f x/1; printf 1 > y/1",
                     "cp -dR x/1 y/1 t; touch f; rm t/1; cp -dR x/1 y/1 t"},
           Situation{"IntoItselfBesideAnother", "mkdir x y", "cp -rl x y y; rm -r y"}),
    NameOf);

// What the tests of other projects have found.
INSTANTIATE_TEST_SUITE_P(
    OthersTests, GnuCpOptions,
    Values(Situation{"DirectoryOntoItself", "mkdir e; touch e/x",
                     "cp -rn e .; cp -rnT e e; cp -rn e/. e; cp -rl e .; cp -al e/. e"},
           Situation{"LinkToAnotherNameOfALink", "ln -s a l; ln l h",
                     "cp -ds $PWD/l h; cp -as $PWD/l h; cp -dsf $PWD/l h"},
           Situation{"AskedAboutAnotherNameOfALink", "ln -s a l; ln l h",
                     "echo y | cp -ai l h; echo y | cp -aiu l h"},
           Situation{"NotAskedAboutWhatIsAsNew", "ln a h", "echo n | cp -liu a h"},
           Situation{"NewerDirectoryWithASlash", "touch -d 2001-01-01 o; mkdir e",
                     "cp -uT o e/; ln -s e le; cp -uT o le/; rm le"},
           Situation{"NewerThanWhatCanNotBeRead",
                     "echo 1 > n; chmod 0 n; mkdir s; cp -p a s/n; chmod 0 s/n; touch o;"
                     " mkdir u; touch u/n",
                     "cp -bu n o; cp -u --remove-destination n o; cp -rub s/. u"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Quoting, GnuCpOptions,
    Values(Situation{
        "InLocales", "",
        "for l in C C.UTF-8 POSIX nowhere; do for f in é it\\'s 'ü\n'; do"
        "  LC_ALL=$l cp \"$f\" x; cp -v a \"$f\"; rm \"$f\"; done; done;"
        "unset LC_ALL; LANG=C.UTF-8 cp é x; LC_CTYPE=C.UTF-8 cp é x; cp é x"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    StripTrailingSlashes, GnuCpOptions,
    Values(Situation{"OfLinkToDirectory", "", "cp -r --strip-trailing-slashes ld/ x"},
           Situation{"OfFile", "", "cp --strip-trailing-slashes a// x"},
           Situation{"OfDirectory", "", "cp -r --strip-trailing-slashes d/// t"}),
    NameOf);

// An attribute that does not fit into what is usually set aside for one.
#define BIG_VALUE "$(head -c 2000 /dev/zero | tr '\\0' v)"

INSTANTIATE_TEST_SUITE_P(
    Xattr, GnuCpOptions,
    Values(Situation{"Archive", "setfattr -n user.x -v 1 a d d/c",
                     "cp -a a x; cp -a d y; cp -a --no-preserve=xattr d z; cp -pr d w"},
           Situation{"Big", "setfattr -n user.big -v " BIG_VALUE " a", "cp -a a x"},
           Situation{"Required", "setfattr -n user.x -v 1 a d d/c",
                     "cp --preserve=xattr a x; cp -r --preserve=xattr d y"},
           Situation{"All", "setfattr -n user.x -v 1 a d d/c",
                     "cp -r --preserve=all a d t; cp -a --no-preserve=all a x"},
           Situation{"Existing", "setfattr -n user.x -v 1 a; setfattr -n user.x -v 2 b",
                     "cp -a a b; setfattr -n user.y -v 3 b; cp -a a b; cp b a"},
           Situation{"AttributesOnly", "setfattr -n user.x -v 1 a",
                     "cp --attributes-only --preserve=xattr a b"},
           Situation{"ReadOnly", "setfattr -n user.x -v 1 a d; chmod 444 a; chmod 555 d",
                     "cp --preserve=xattr a x; cp -a a y; cp --preserve=all a z;"
                     "cp -a d u; cp -r --preserve=xattr d w; cp --no-preserve=mode "
                     "--preserve=xattr a v",
                     true},
           Situation{"ReadOnlyWithUmask",
                     "setfattr -n user.x -v 1 a d d/c; chmod 444 a; chmod 555 d",
                     "umask 0222; cp -a a x; cp --preserve=xattr a y; cp -a d z; umask "
                     "0277; cp -a a u; cp --preserve=xattr a v",
                     true},
           Situation{
               "OfOthers",
               "setfattr -n trusted.x -v 1 a; setfattr -n user.x -v 2 a b; chmod 0 b",
               "cp -a a x; cp --preserve=xattr a y; cp -a b z", true},
           Situation{"Capability",
                     "chmod 755 a; setfattr -n security.capability -v "
                     "0sAQAAAgAgAAAAAAAAAAAAAAAAAAA= a; chown 5:6 a",
                     "cp -a a x; cp -p a y; cp --preserve=xattr a z; cp a w"},
           Situation{"CapabilityNotGiven",
                     "chmod 755 a; setfattr -n security.capability -v "
                     "0sAQAAAgAgAAAAAAAAAAAAAAAAAAA= a",
                     "cp -a a x; cp --preserve=all a y; cp --preserve=xattr a z", true},
           Situation{"LinksAndNodes",
                     "mkfifo p; setfattr -n trusted.p -v 1 p;"
                     "setfattr -h -n trusted.l -v 2 la dangling",
                     "cp -a la dangling p t; cp -RP --preserve=xattr la p d"},
           Situation{"HardLinks", "ln a h; setfattr -n user.x -v 1 a", "cp -a a h t"},
           Situation{"Context", "",
                     "cp --preserve=context a x; cp -Z a y; cp --context=z a w;"
                     "cp --context a v; cp --context=z --preserve=context a u"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Acl, GnuCpOptions,
    Values(Situation{"New",
                     "setfacl -m u:5:rwx,g:6:r a d/c; setfacl -m u:7:x d;"
                     "setfacl -d -m u:8:rw d",
                     "cp -p a x; cp -a d y; cp a z; cp -r d w; cp --preserve=mode a v;"
                     "cp -a --no-preserve=mode d u"},
           Situation{"NewAsUser",
                     "setfacl -m u:5:rwx,g:6:r a d/c; setfacl -m u:7:x d;"
                     "setfacl -d -m u:8:rw d",
                     "cp -p a x; cp -a d y; cp a z; cp --preserve=mode a v", true},
           Situation{"Existing", "setfacl -m u:9:rwx b t; setfacl -d -m u:9:x t",
                     "cp -p a b; cp -a d/. t", false, kKeepsOtherAcls},
           Situation{"OverAnother", "setfacl -m u:5:rwx a d; setfacl -m u:9:rwx b t",
                     "cp -p a b; cp -a d/. t"},
           Situation{"InDirectoryWithDefault", "setfacl -d -m u:9:rwx,g::rwx t",
                     "cp a t; cp -p b t; cp -a d t; cp -r d/e t; mkfifo p; cp -a p t",
                     false, kKeepsOtherAcls},
           Situation{"OverDefault", "setfacl -d -m u:9:rwx t; setfacl -m u:5:rx a d",
                     "cp -p a t; cp -a d t; cp --preserve=mode a t/x", false,
                     kKeepsOtherAcls},
           Situation{"OfFifo", "mkfifo p; setfacl -m u:5:rw p", "cp -a p x; cp -R p y"},
           Situation{"SetId", "setfacl -m u:5:rwx a d; chmod u+s,g+s a; chmod g+s,+t d",
                     "cp -p a x; cp -a d y; cp a z"},
           Situation{"SetIdOfOthers",
                     "setfacl -m u:5:rwx a; chmod u+s,g+s a; cp -a a o; chmod 755 o",
                     "cp -p a x; cp -a a y", true},
           Situation{"UnreadableDirectory", "setfacl -m u:5:rwx d/e; chmod u-r d/e",
                     "cp -a d x", true}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Interactive, GnuCpOptions,
    Values(
        Situation{"Yes", "", "echo y | cp -iv a b; echo yes | cp -i b a"},
        Situation{"New", "", "cp -i a x < /dev/null; cp -ri d y < /dev/null"},
        Situation{"Several", "printf 1 > t/a; printf 2 > t/b; mkdir t/d",
                  "printf 'y\\nYES\\n' | cp -i a b t"},
        Situation{"LastLineWithoutEnd", "", "printf y | cp -i a b"},
        Situation{"NoClobberLast", "", "cp -in a b < /dev/null; echo y | cp -ni a b"},
        Situation{"UpdateOlder", "",
                  "touch -d 2100-01-01 b; cp -iu a b < /dev/null; touch -d 2100-01-02 a;"
                  "echo y | cp -iuv a b; touch a b"},
        Situation{"SameFile", "ln a h", "cp -i a a; cp -i a h; cp -i la a"},
        Situation{"Unwritable", "chmod 444 b; chmod 4755 t",
                  "echo y | cp -i a b; echo y | cp -if a b; printf 1 > t/a; chmod 0 t/a;"
                  "echo y | cp -i --remove-destination a t",
                  true},
        Situation{"Force", "", "echo y | cp -if a b; echo y | cp -i --force b a"},
        Situation{"Backup", "", "echo y | cp -ibv a b; echo y | cp -ib a a"},
        Situation{"RemoveDestination", "", "echo y | cp -iv --remove-destination a b"},
        Situation{"ThroughLink", "", "echo y | cp -i b la; cp -i a dangling"},
        Situation{"HardLink", "", "echo y | cp -il a b; ln a h; echo y | cp -il a h"},
        Situation{"SymbolicLink", "", "echo y | cp -is a b; echo y | cp -isf a b"},
        Situation{"Links", "ln -s x d/l; mkdir -p y; ln -s z y/l",
                  "echo y | cp -aiv d/. y"},
        Situation{"Fifo", "mkfifo p d/p; printf 1 > t/p", "echo y | cp -Ri p t"},
        Situation{"Streams",
                  "printf 1 > t/null; printf 2 > t/a; printf 3 > t/b; mkfifo p",
                  "printf 'y\\nn\\n' | cp -i /dev/null a t;"
                  "printf 'n\\ny\\n' | cp -i /dev/null b t;"
                  "printf 3 > t/p; printf 'n\\ny\\n' | cp -i p a t; :"},
        Situation{
            "NamedInTurn",
            "rm -r d/e; mkdir t/d; printf 1 > t/d/c; printf 2 > t/a; printf 3 > t/b",
            "printf 'y\\nn\\n' | cp -ri d a t;"
            "printf 'n\\ny\\nn\\n' | cp -ri a d b t; yes | cp -ri b d a t"},
        Situation{"HardLinksInTurn",
                  "printf 3 > c; printf 4 > f; ln a a2; ln -s x l1; ln l1 l2;"
                  "for i in a a2 c f; do printf old > t/$i; done;"
                  "for i in l1 l2; do ln -s old t/$i; done",
                  "printf 'y\\ny\\nn\\ny\\n' | cp -ai a a2 c f t;"
                  "printf 'n\\ny\\nn\\n' | cp -ai a a2 c t;"
                  "printf 'n\\nn\\ny\\n' | cp -ai a a2 f t;"
                  "printf 'y\\nn\\ny\\n' | cp -ai l1 l2 f t; :"},
        Situation{"ParentsInTurn",
                  "mkdir -p p/d p/e t/p/d t/p/e; for i in x d/1 y e/2 z; do"
                  " printf new > p/$i; printf old > t/p/$i; done",
                  "printf 'y\\nn\\ny\\nn\\ny\\n' |"
                  " cp -ri --parents p/x p/d p/y p/e p/z t; :"},
        Situation{"Tree", "mkdir -p x/e; printf 2 > x/e/g", "yes | cp -ri d/. x"},
        Situation{"HardLinksKept",
                  "ln d/c d/c2; mkdir x; printf 1 > x/c; printf 2 > x/c2",
                  "yes | cp -ai d/. x"},
        Situation{"HardLinksToNew", "ln d/c d/c2; mkdir x; printf 1 > x/c",
                  "yes | cp -ai d/. x"},
        Situation{"HardLinksToNewOfSecond", "ln d/c d/c2; mkdir x; printf 1 > x/c2",
                  "yes | cp -ai d/. x"},
        Situation{"HardLinksOfThree",
                  "ln d/c d/c2; ln d/c d/c3; mkdir x; printf 1 > x/c; printf 1 > x/c3",
                  "yes | cp -ai d/. x"},
        Situation{"HardLinksIntoExisting",
                  "mkdir x; printf 1 > x/c; ln x/c keep; ln d/c d/b; chmod 600 x/c",
                  "yes | cp -i --preserve=links d/c d/b x"},
        Situation{"HardLinksAttributesOnly",
                  "mkdir x; printf 1 > x/c; ln x/c keep; ln d/c d/b",
                  "yes | cp -ai --attributes-only d/c d/b x"},
        Situation{"Unreadable", "chmod 0 a; printf 1 > t/a; printf 2 > t/b",
                  "echo y | cp -i a t", true},
        Situation{"OfItsLinkWithBackup", "ln -s b lb", "echo y | cp -P -ib lb b"},
        Situation{"AnswersForTheNext", "printf 1 > t/a; printf 'y\\ny\\n' > ans",
                  "(cp -i a b; cp -i b t/a) < ans"},
        Situation{"AttributesOnly", "", "echo y | cp -i --attributes-only a b"}),
    NameOf);

// Removes the parts of t that depend on where the test runs.
#define UNDER_HERE "; mv \"t$PWD\" x; rm -r t"

INSTANTIATE_TEST_SUITE_P(
    Parents, GnuCpOptions,
    Values(
        Situation{"OfFiles", "", "cp -v --parents d/c d/e/g a t"},
        Situation{"OfFilesIntoDirectoryNamedFirst", "", "cp -v -t t --parents d/c a"},
        Situation{"OfDirectory", "", "cp -rv --parents d/e t"},
        Situation{"OfDirectoryTwice", "", "cp -r --parents d t; cp -r --parents ./d t/"},
        Situation{"OfAbsolute", "", "cp --parents \"$PWD/d/e/g\" t" UNDER_HERE},
        Situation{"WithSlashes", "", "cp -r --parents d//e/// t//; cp --parents d//c t"},
        Situation{
            "SlashBehindFile", "",
            "cp -v --parents d/c/ t; cp -v --strip-trailing-slashes --parents d/c/ t"},
        Situation{"WithDotsAfterOthers",
                  "chmod 700 t; chmod 750 d; setfacl -d -m u:9:rwx t",
                  "cp -p --parents d/e/g ./d/c t; cp -a --parents d/c ./d/e/g t", false,
                  kKeepsOtherAcls},
        Situation{"WithDots", "", "cp -v --parents ./d/./e/g t"},
        Situation{"WithDotDot", "mkdir x", "cp -v --parents x/../d/c t"},
        Situation{"BeginningWithDotDot", "",
                  "cd d; cp -v --parents ../d/e/g ../t; cp --parents ../a e"},
        Situation{"OfLink", "", "cp -v --parents ./la t; cp -rP --parents ./dangling t"},
        Situation{"OfDangling", "", "cp --parents d/dangling ./dangling t"},
        Situation{"BelowLink", "", "cp -v --parents ld/c ld/e/g t"},
        Situation{"BelowLinkKept", "", "cp -rvP --parents ld/e ld/c t"},
        Situation{"LinkWithSlash", "", "cp -r --parents ld/ t; cp -r --parents ./ld t"},
        Situation{"LinksFollowed", "", "cp -rL --parents ./ld ./la ld/e t"},
        Situation{"NamedLinksFollowed", "", "cp -rH --parents ./ld ./la ld/e t"},
        Situation{"QuotesInNames", "mkdir 's p'; printf 1 > 's p/i t'",
                  "cp -v --parents 's p/i t' t"},
        Situation{"Nameless", "", "cp --parents '' t; cp --parents / /. . .. t"},
        Situation{"IntoCurrentDirectory", "", "cp -v --parents d/c ."},
        Situation{"IntoWhatIsNone", "",
                  "cp --parents a x; cp --parents a b; cp --parents a d/c x;"
                  "cp --parents a d/c b; cp -T --parents a t; cp -T --parents a d/c t;"
                  "cp --parents a; cp --parents -t x a; cp --parents"},
        Situation{"NotRecursive", "", "cp -v --parents d/e d/c t"},
        Situation{"OfMissing", "",
                  "cp -v --parents d/no t; cp -v --parents d/no/no d/e/no/no t;"
                  "cp --parents no/no no t; cp -p --parents no/x t"},
        Situation{"OfMissingThatIsInTarget", "mkdir -p t/no/x",
                  "cp --parents no/x/y no/y no/z/y t; cp -p --parents no/x/y no/z/z t"},
        Situation{"BelowFile", "", "cp --parents a/x a/b/c t; cp --parents d/c/x t"},
        Situation{"FileInTheWay", "printf 1 > t/d",
                  "cp -v --parents d/c d/e/g a t; cp -r --parents d/e t;"
                  "cp -f --remove-destination --parents d/c t; cp -b --parents d/c t"},
        Situation{"FileInTheWayBelow", "mkdir t/d; printf 1 > t/d/e",
                  "cp -v --parents d/e/g d/c t; cp --parents d/e/no d/e/no/no t"},
        Situation{"DanglingInTheWay", "ln -s gone t/d", "cp -v --parents d/c d/e/g t"},
        Situation{"LoopInTheWay", "ln -s d t/d", "cp -v --parents d/c t"},
        Situation{"LinkToFileInTheWay", "ln -s ../a t/d", "cp -v --parents d/c t"},
        Situation{"LinkToDirectory", "mkdir x; ln -s ../x t/d",
                  "cp -rv --parents d/c d/e t"},
        Situation{"LinkToSource", "ln -s ../d t/d", "cp -v --parents d/c t"},
        Situation{"DirectoryInTheWay", "mkdir -p t/d/c", "cp --parents d/c t"},
        Situation{"FileInPlaceOfDirectory", "mkdir t/d; printf 1 > t/d/e",
                  "cp -r --parents d/e t"},
        Situation{"NamedAgain", "", "cp -v --parents d/c d/c ./d/c d/e/../c t"},
        Situation{"NamedThroughLink", "", "cp -v --parents d/c ld/c t"},
        Situation{"NamedTwiceWithBackup", "", "cp -bv --parents d/c d/c t"},
        Situation{"DirectoryNamedTwice", "", "cp -r --parents d/e d/e ./d/e t"},
        Situation{"TwoOfOneName", "mkdir -p \".$PWD/d\"; printf other > \".$PWD/d/c\"",
                  "here=${PWD#/}; cp --parents \"/$here/d/c\" \"$here/d/c\" t 2>&1 |"
                  "sed \"s|$here||g\"; rm -r \"${here%%/*}\"" UNDER_HERE},
        Situation{"TwoOfOneFileInTarget",
                  "mkdir x x/d x/s; printf other > x/d/c; ln -s x/s y",
                  "cp -v --parents d/c y/../d/c t"},
        Situation{"HardLinks", "mkdir x; ln d/c x/c; ln d/c d/h",
                  "cp -dv --parents d/c x/c d/h t"},
        Situation{"HardLinksOfTreeAndFile", "mkdir x; ln d/c x/c; ln d/c d/e/h",
                  "cp -d -r --parents d/e x/c d/c t"},
        Situation{"HardLinksNotKept", "mkdir x; ln d/c x/c", "cp --parents d/c x/c t"},
        Situation{"HardLinksThroughLink", "mkdir x y; ln d/c x/c; ln -s ../y t/d",
                  "cp -a --parents d/c x/c t"},
        Situation{"Update", "mkdir t/d; printf o > t/d/c",
                  "touch d/c; cp -uv --parents d/c d/e/g t;"
                  "touch -d 2100-01-01 t/d/c; cp -uv --parents d/c t"},
        Situation{"NoClobber", "mkdir t/d; printf o > t/d/c",
                  "cp -nv --parents d/c d/e/g t"},
        Situation{"Backup", "mkdir t/d; printf o > t/d/c",
                  "cp -bv --parents d/c d/e/g t; cp --backup=t -v --parents d/c t"},
        Situation{"Link", "", "cp -lv --parents d/c d/e/g t; cp -rl --parents d/e t"},
        Situation{"SymbolicLink", "",
                  "cp -s --parents d/c t; cp -s --parents d/c .; cp -s --parents ./a t"},
        Situation{"SymbolicLinkToAbsolute", "",
                  "cp -s --parents \"$PWD/d/c\" t" UNDER_HERE "; " SHOW_LINKS},
        Situation{"OneFileSystem", "", "cp -xr --parents d/e t"},
        Situation{"Fifo", "mkfifo d/p", "cp -rv --parents d/p t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    ParentsAttributes, GnuCpOptions,
    Values(
        Situation{"Modes", "chmod 750 d; chmod 2711 d/e", "cp -v --parents d/e/g t"},
        Situation{"ReadOnly", "chmod 555 d; chmod 500 d/e",
                  "cp --parents d/e/g t; chmod 755 d", true},
        Situation{"Umask", "chmod 777 d; chmod 1777 d/e",
                  "umask 077; cp --parents d/e/g t; umask 0; cp -r --parents d/e a t"},
        Situation{"NoMode", "chmod 1777 d; chmod 2750 d/e",
                  "cp --no-preserve=mode --parents d/e/g t"},
        Situation{"NoModeButOwner", "chmod 1777 d; chmod 2750 d/e",
                  "cp --no-preserve=mode --preserve=ownership --parents d/e/g t"},
        Situation{"GroupOfTarget", "chmod 2775 t; chgrp 7 t", "cp --parents d/e/g t"},
        Situation{
            "Kept", "chmod 1751 d; chmod 2700 d/e; chown 3:4 d d/e/g; chown 5:6 d/e",
            "cp -p --parents d/e/g t; cp -a --parents d/e b; cp -a --parents d/e ld"},
        Situation{"TimesKept", "", "cp --preserve=timestamps --parents d/e/g t"},
        Situation{"KeptOfExisting",
                  "mkdir t/d; chmod 1751 d; chmod 2700 d/e; chown 3:4 d d/e",
                  "cp -p --parents d/e/g t"},
        Situation{"ModeKeptOfExisting", "mkdir t/d; chmod 1751 d; chmod 2700 d/e",
                  "cp --preserve=mode --parents d/e/g t", true},
        Situation{"OfExistingIfNoneIsMade",
                  "mkdir -p t/d/e; chmod 1751 d; chmod 2700 d/e; chown 3:4 d d/e",
                  "cp -a --parents d/e/g t"},
        Situation{"OfExistingThroughLink", "mkdir x; chmod 700 x d; ln -s ../x t/d",
                  "cp -p --parents d/e/g t"},
        Situation{"OfDot", "chmod 700 d; chmod 750 .", "cp -p --parents ./d/c t"},
        Situation{"OfDotDot", "chmod 700 d; mkdir t/y", "cd t; cp -p --parents ../d/c y"},
        Situation{"AttributesOnly", "chmod 700 d",
                  "cp -p --attributes-only --parents d/c t"},
        Situation{"Unsearchable", "chmod 0 d/e",
                  "cp --parents d/e/g d/c t; chmod 755 d/e", true},
        Situation{"Unreadable", "chmod 311 d d/e",
                  "cp -v --parents d/e/g d/c t; cp -r --parents d/e t; chmod 755 d d/e",
                  true},
        Situation{"TargetUnwritable", "chmod 555 t",
                  "cp --parents d/e/g d/c a t; chmod 755 t", true},
        Situation{"ParentUnwritable", "mkdir t/d; chmod 555 t/d",
                  "cp --parents d/e/g d/c a t; chmod 755 t/d", true}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Update, GnuCpOptions,
    Values(
        Situation{"Newer", "", "touch a; cp -uv a b"},
        Situation{"SameAge", "", "cp -uv a b"},
        Situation{"Older", "", "touch b; cp -uv a b"},
        Situation{"Missing", "", "cp -uv a x"},
        Situation{"ByWord", "", "touch b; cp --update a b"},
        Situation{"Tree", "", "cp -r d x; touch d/c; touch x/e/g; rm x/c; cp -ruv d/. x"},
        Situation{"TreeTwice", "",
                  "cp -ru d x; printf new > d/c; touch -d 2100-01-01 d/c; "
                  "cp -ruv d/. x"},
        Situation{"ArchiveTwice", "ln -s c d/l; mkfifo d/p", "cp -au d x; cp -auv d/. x"},
        Situation{"ArchiveLinksOfNewer", "ln d/c d/c2",
                  "mkdir x; printf 1 > x/c; printf 2 > x/c2; cp -auv d/. x"},
        Situation{"ArchiveLinksOfOneNewer", "ln d/c d/c2",
                  "mkdir x; printf 1 > x/c; printf 2 > x/c2; touch -d 1999-01-01 x/c2; "
                  "cp -auv d/. x"},
        Situation{"LinkNewer", "", "touch -h la; cp -uPv la dangling"},
        Situation{"LinkOlder", "", "touch -h dangling; cp -uPv la dangling"},
        Situation{"FifoOlder", "mkfifo p q", "touch q; cp -ruv p q"},
        Situation{"ThroughLink", "ln -s b lb", "touch b; cp -uv a lb"},
        Situation{"ThroughDangling", "", "cp -u a dangling"},
        Situation{"SameFile", "ln a h", "cp -u a h; cp -u a a; cp -u la a"},
        Situation{"OntoNewDirectory", "mkdir t/a", "touch t/a; cp -u a t"},
        Situation{"OntoOldDirectory", "mkdir t/a", "touch a; cp -u a t"},
        Situation{"RemoveDestination", "", "touch b; cp -uv --remove-destination a b"},
        Situation{"RemoveDestinationOfOlder", "",
                  "touch a; cp -uv --remove-destination a b"},
        Situation{"SymbolicLinksTwice", "",
                  "cp -rsu \"$PWD/d\" x; cp -rsu \"$PWD/d/.\" x; cp -su \"$PWD/a\" x;"
                  "cp -Psu \"$PWD/a\" x; rm -r x"},
        Situation{"NoClobberWins", "", "touch a; cp -nu a b; cp -un a b"},
        Situation{"Unreadable", "", "chmod 0 a; touch b; cp -u a b; cp -u a x", true},
        Situation{"SameNameFromElsewhere", "mkdir u; printf zeta > u/a", "cp -u a u/a t"},
        Situation{"SameNameNewerFromElsewhere", "mkdir u; printf zeta > u/a",
                  "touch -d 2100-01-01 u/a; cp -u a u/a t"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    HardLink, GnuCpOptions,
    Values(Situation{"New", "", "cp -lv a x"}, Situation{"Existing", "", "cp -l a b"},
           Situation{"ExistingForced", "", "cp -lfv a b"},
           Situation{"ExistingRemoved", "", "cp -lv --remove-destination a b"},
           Situation{"ExistingKept", "", "cp -lnv a b"},
           Situation{"ExistingNewer", "", "touch b; cp -luv a b"},
           Situation{"AlreadyLinked", "ln a h", "cp -lv a h; cp -lv a a; cp -lfv a h"},
           Situation{"Tree", "ln -s c d/l; mkfifo d/p; ln d/c d/c2", "cp -rl d x"},
           Situation{"TreeArchive", "ln -s c d/l; mkfifo d/p; ln d/c d/c2", "cp -al d x"},
           Situation{"TreeTwice", "", "cp -rl d x; cp -rlv d/. x"},
           Situation{"TreeFollowingNone", "ln -s c d/l; ln -s e d/le", "cp -rlP d x"},
           Situation{"OfLinkFollowed", "", "cp -l la x"},
           Situation{"OfLinkKept", "", "cp -lP la x"},
           Situation{"OfLinkKeptOverFile", "", "cp -lP la b"},
           Situation{"OfLinkKeptOverItsFile", "", "cp -lP la a"},
           Situation{"OfDangling", "", "cp -l dangling x"},
           Situation{"OfDanglingKept", "", "cp -lP dangling x"},
           Situation{"OverLink", "ln -s b lb", "cp -l a lb; cp -lf a lb"},
           Situation{"OverLinkToItself", "", "cp -l a la; cp -lf a la"},
           Situation{"OverDangling", "", "cp -l a dangling; cp -lfv a dangling"},
           Situation{"OverDirectory", "mkdir t/a", "cp -l a t; cp -lf a t"},
           Situation{"OverNameOfAnother", "ln b h", "cp -l --preserve=links a b"},
           Situation{"OfFifo", "mkfifo p", "cp -l p x"},
           Situation{"OfDirectory", "", "cp -l d x"},
           Situation{"SameNameFromElsewhere", "mkdir u; printf zeta > u/a",
                     "cp -l a u/a t"},
           Situation{"SameNameOfOneFile", "mkdir u; ln a u/a", "cp -l a u/a t"},
           Situation{"AndSymbolic", "", "cp -ls a x"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    SymbolicLink, GnuCpOptions,
    Values(Situation{"New", "", "cp -sv a x"},
           Situation{"Elsewhere", "", "cp -s a t; cp -s \"$PWD/a\" t; " SHOW_LINKS},
           Situation{"OfOthers", "chown -R 1:1 a d",
                     "cp -ps a x; cp -s --preserve=ownership a y; cd t;"
                     "cp -as ../d/c z; ls -ln z | cut -d' ' -f3,4"},
           Situation{"ElsewhereWithBlank", "mkdir 't t'", "cp -s a 't t'"},
           Situation{"ElsewhereKept", "", "cp -sn a t; cp -sn a t/x; cp -su a d"},
           Situation{"ElsewhereNamedAsDirectory", "", "cp -s a t/x/; cp -sT a d/c/"},
           Situation{"BelowMissing", "",
                     "cp -s a nodir/x; cp -s \"$PWD/a\" nodir/x 2>&1 |"
                     "sed \"s|$PWD||\"; cp -l a nodir/x"},
           Situation{"FromElsewhere", "", "cp -sv d/c x"},
           Situation{"Existing", "", "cp -s a b"},
           Situation{"ExistingForced", "", "cp -sfv a b"},
           Situation{"ExistingRemoved", "", "cp -sv --remove-destination a b"},
           Situation{"ExistingKept", "", "cp -snv a b"},
           Situation{"OfItself", "", "cp -s a a; cp -sf a a"},
           Situation{"OverLinkToItself", "", "cp -s a la; cp -sfv a la"},
           Situation{"OverHardLink", "ln a h", "cp -s a h; cp -sf a h"},
           Situation{"OfLink", "", "cp -s la x; cp -sP la y; cp -sf la la"},
           Situation{"OfDangling", "", "cp -s dangling x; cp -sP dangling x"},
           Situation{"OverDangling", "", "cp -s a dangling; cp -sf a dangling"},
           Situation{"OverDirectory", "mkdir u; mkdir t/a", "cd u; cp -sT ../a ../t/a"},
           Situation{"Tree", "ln -s c d/l; mkfifo d/p",
                     "cp -rsv \"$PWD/d\" x > o; sed \"s|$PWD||g\" o; rm o; " SHOW_LINKS},
           Situation{"TreeRelative", "", "cp -rs d y"},
           Situation{"TreeTwice", "",
                     "cp -rs \"$PWD/d\" x; cp -rsT \"$PWD/d\" x 2>o; grep -c exists o; "
                     "rm o; " SHOW_LINKS},
           Situation{"WithTimes", "", "cp -sp a x"},
           Situation{"SameNameFromElsewhere", "mkdir u; printf z > u/a",
                     "cp -s $PWD/a $PWD/u/a t 2>&1 | sed \"s|$PWD||g\"; " SHOW_LINKS},
           Situation{"OfDirectory", "", "cp -s d x"}),
    NameOf);

// Each way of making a target beside each relation that source and target may have.
std::vector<Situation> RelatedFiles() {
  constexpr std::array<std::pair<const char*, const char*>, 4> kMakes = {
      {{"Copy", ""}, {"Link", " -l"}, {"Symbolic", " -s"}, {"Tree", " -rL"}}};
  constexpr std::array<std::pair<const char*, const char*>, 4> kReplaces = {
      {{"", ""},
       {"Forced", " -f"},
       {"Removed", " --remove-destination"},
       {"BackedUp", " -b"}}};
  constexpr std::array<std::pair<const char*, const char*>, 6> kRelations = {
      {{"LinkOntoItsFile", "la a"},
       {"FileOntoItsLink", "a la"},
       {"HardLink", "h a"},
       {"Itself", "a a"},
       {"LinkOntoItself", "la la"},
       {"FifoBehindLink", "lp p"}}};
  std::vector<Situation> situations;
  for (const auto& [make, make_option] : kMakes) {
    for (const auto& [replace, replace_option] : kReplaces) {
      for (const auto& [relation, operands] : kRelations) {
        const bool is_fifo = std::string_view(operands) == "lp p";
        if (is_fifo && std::string_view(make) == "Copy") continue;  // It would wait.
        // GNU cp renames or removes the source, and then can't find it.
        const bool is_moved = std::string_view(replace) == "BackedUp" ||
                              std::string_view(replace) == "Removed";
        const bool follows =
            std::string_view(make) == "Copy" || std::string_view(make) == "Tree";
        if (is_moved && follows && std::string_view(operands) == "la la") continue;
        if (is_fifo && std::string_view(replace) == "BackedUp") continue;
        situations.push_back(
            {absl::StrCat(make, replace, relation), "ln a h; mkfifo p; ln -s p lp",
             absl::StrCat("cp", make_option, replace_option, " ", operands)});
      }
    }
  }
  return situations;
}

INSTANTIATE_TEST_SUITE_P(Related, GnuCpOptions, testing::ValuesIn(RelatedFiles()),
                         NameOf);

INSTANTIATE_TEST_SUITE_P(
    AttributesOnly, GnuCpOptions,
    Values(Situation{"New", "chmod 4751 a", "cp -pv --attributes-only a x"},
           Situation{"NewWithoutAny", "chmod 751 a", "cp --attributes-only a x"},
           Situation{"Existing", "chmod 4751 a", "cp -pv --attributes-only a b"},
           Situation{"ExistingThroughLink", "ln -s b lb; chmod 600 a",
                     "cp -p --attributes-only a lb"},
           Situation{"ExistingWithNames", "ln b h; chmod 600 a",
                     "cp -av --attributes-only a b"},
           Situation{"Tree", "ln -s c d/l; mkfifo d/p; ln d/c d/c2",
                     "cp -a --attributes-only d x"},
           Situation{"OverTree", "chmod 700 d d/c",
                     "cp -r d x; chmod 755 x; printf own > x/c; printf more > x/m; "
                     "cp -a --attributes-only d/. x"},
           Situation{"OverLink", "ln -s c d/l",
                     "cp -r d x; cp -a --attributes-only d/. x"},
           Situation{"OverFifo", "mkfifo p q", "cp -a --attributes-only p q"},
           Situation{"Unwritable", "chmod 444 b", "cp -p --attributes-only a b", true},
           Situation{"UnwritableForced", "chmod 444 b", "cp -fpv --attributes-only a b",
                     true},
           Situation{"Unreadable", "chmod 0 a", "cp -p --attributes-only a b", true},
           Situation{"OfDevice", "", "cp --attributes-only /dev/null x"},
           Situation{"Dangling", "", "cp --attributes-only a dangling"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Contents, GnuCpOptions,
    Values(Situation{"OfFifo", "mkfifo p", "(printf x > p &); cp -r --copy-contents p x"},
           Situation{"OfFifoInTree", "mkfifo d/p",
                     "(printf x > d/p &); cp -r --copy-contents d x"},
           Situation{"OfFifoNamedWithoutRecursion", "mkfifo p",
                     "(printf x > p &); cp --copy-contents p x"},
           Situation{"OfDevice", "", "cp -r --copy-contents /dev/null x"},
           Situation{"OfLinkKept", "", "cp -r --copy-contents la x"},
           Situation{"SparseWithReflink", "", "cp --reflink --sparse=always a x"},
           Situation{"SparseWrongWord", "", "cp --sparse=maybe a x"},
           Situation{"SparseAlways", "head -c 99999 /dev/zero > z; printf x >> z",
                     "cp --sparse=always z x; sync x; stat -c %b x"},
           Situation{"SparseOfHolesFilled", "truncate -s 99999 z",
                     "cp --sparse=never z x; sync x; stat -c %b x"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Backups, GnuCpOptions,
    Values(
        Situation{"Simple", "", "cp -bv a b"},
        Situation{"SimpleTwice", "", "cp -bv a b; cp -bv d/c b"},
        Situation{"Suffix", "", "cp -S .old -v a b"},
        Situation{"SuffixWithSlash", "", "cp -S /x a b"},
        Situation{"SuffixEmpty", "", "cp -bS '' a b"},
        Situation{"SuffixOfEnvironment", "",
                  "export SIMPLE_BACKUP_SUFFIX=.bak; cp -b a b; cp -b -S .s d/c b"},
        Situation{"Numbered", "", "for i in 1 2 3; do cp -v --backup=numbered a b; done"},
        Situation{"NumberedAfterTen", "touch b.~10~ b.~9~ b.~x~ b.~010~ b.~11~x",
                  "cp -v --backup=t a b"},
        Situation{"ExistingSimple", "", "cp -v --backup=existing a b"},
        Situation{"ExistingNumbered", "touch b.~3~", "cp -v --backup=nil a b"},
        Situation{"OfEnvironment", "", "VERSION_CONTROL=numbered cp -bv a b"},
        Situation{"OfEnvironmentOverruled", "",
                  "VERSION_CONTROL=numbered cp --backup=simple -v a b"},
        Situation{"None", "", "cp -v --backup=none a b; cp -v --backup=off d/c b"},
        Situation{"Abbreviated", "", "cp -v --backup=nu a b; cp -v --backup=s a b"},
        Situation{"WrongKind", "", "cp --backup=maybe a b"},
        Situation{"WrongKindOfEnvironment", "", "VERSION_CONTROL=maybe cp -b a b"},
        Situation{"AmbiguousKind", "", "cp --backup=n a b"},
        Situation{"Missing", "", "cp -bv a x"},
        Situation{"Forced", "chmod 444 b", "cp -bfv a b", true},
        Situation{"OfLink", "ln -s b lb", "cp -bv a lb"},
        Situation{"OfDangling", "", "cp -bv a dangling"},
        Situation{"OfDanglingPosix", "", "POSIXLY_CORRECT=1 cp -bv a dangling"},
        Situation{"OfLinkToSource", "", "cp -bv a la"},
        Situation{"FromLinkToTarget", "", "cp -bv la a; cp -bPv la a"},
        Situation{"SameFile", "ln a h", "cp -bv a a; cp -bv a ./a; cp -bv a h"},
        Situation{"SameLink", "ln -P la lh", "cp -bPv la lh; cp -bPv la la"},
        Situation{"OfDirectory", "mkdir t/a", "cp -bv a t", false,
                  "lists the copy before it finds a directory in the way"},
        Situation{"SourceIsBackup", "", "cp a b~; cp -bv b~ b; cp --backup=t -v b~ b"},
        Situation{"SameNameFromElsewhere", "mkdir u; printf zeta > u/a", "cp -b a u/a t"},
        Situation{"NamesOfOthers", "mkdir u; printf new > u/f; printf tilde > u/f~",
                  "for i in 1 2 3 4; do mkdir w$i; printf old > w$i/f; done;"
                  "cp -b u/f w1; cp -b u/f~ w2; cp -b u/f~ w1"},
        Situation{"HardLinkOfBackup", "cp a b~; ln b~ q", "cp -bv q b"},
        Situation{"LongName", "",
                  "n=$(printf %0255d 0); cp b $n; cp -b a $n; n=$(printf %0252d 1);"
                  "cp b $n; cp --backup=t a $n;"},
        Situation{"LongNameNumbered", "",
                  "for l in 252 253; do n=$(printf %0${l}d 0); cp a $n;"
                  " cp --backup=t b $n; cp --backup=t d/c $n; cat $n*; done"},
        Situation{"SameNameNumbered", "mkdir u; printf zeta > u/a",
                  "cp -v --backup=numbered a u/a t"},
        Situation{"Twice", "", "cp -v --backup=numbered a a t"},
        Situation{"Tree", "ln -s c d/l; mkfifo d/p; ln d/c d/c2",
                  "cp -a d x; cp -abv d/. x"},
        Situation{"TreeNumbered", "ln -s c d/l", "cp -a d x; cp -av --backup=t d/. x"},
        Situation{"HardLinks", "", "cp -blv a b; cp -blv a b"},
        Situation{"SymbolicLinks", "", "cp -bsv a b; cp -bsv d/c b"},
        Situation{"Update", "",
                  "touch b; cp -buv a b; touch -d 2100-01-01 a; cp -buv a b"},
        Situation{"RemoveDestination", "", "cp -bv --remove-destination a b"},
        Situation{"ForcedOntoItself", "", "cp -bfv a a; cp -bfv a ./a; cp -bfv la la"},
        Situation{"ForcedOntoItselfNumbered", "",
                  "cp --backup=t -fv a a; cp --backup=t -fv a a"},
        Situation{"UnwritableDirectory", "cp b t/a; chmod 555 t", "cp -b a t", true},
        Situation{"Mode", "chmod 4750 a; chmod 604 b", "cp -bpv a b"}),
    NameOf);

}  // namespace
}  // namespace ringcp
