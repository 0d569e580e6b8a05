#include "tests/job_specs.h"

#include "absl/strings/str_cat.h"

namespace ringcp {

v1::JobSpec JobSpecs::File() {
  const std::string number = absl::StrCat(++last_number_);
  v1::JobSpec spec;
  spec.add_sources(directory_.WriteFile("source" + number, "contents " + number));
  spec.set_target(directory_.Path("target" + number));
  return spec;
}

v1::JobSpec JobSpecs::Fifo() {
  const std::string number = absl::StrCat(++last_number_);
  v1::JobSpec spec;
  spec.add_sources(directory_.MakeFifo("fifo" + number));
  spec.set_target(directory_.Path("target" + number));
  return spec;
}

v1::JobSpec JobSpecs::Failing(int count) const {
  v1::JobSpec spec;
  for (int i = 0; i < count; ++i) {
    spec.add_sources(directory_.Path(absl::StrCat("missing", i)));
  }
  spec.set_target(directory_.path());
  return spec;
}

v1::JobSpec JobSpecs::Obstructed(int count) const {
  v1::JobSpec spec;
  spec.set_target(directory_.MakeDirectory("obstructed"));
  for (int i = 0; i < count; ++i) {
    const std::string name = absl::StrCat("file", i);
    spec.add_sources(directory_.WriteFile(name, "contents"));
    directory_.MakeDirectory("obstructed/" + name);
  }
  return spec;
}

}  // namespace ringcp
