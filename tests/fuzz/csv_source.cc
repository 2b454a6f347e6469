// The rows of tables, whatever parts their fields.
#include <plait/sdk/error.hpp>

#include <vector>

#include "fuzz.h"
#include "row_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static plait::fuzz::ScratchFile file;
  const std::string& path = file.hold(data, size);
  for (const char separator : {',', '\t'}) {
    try {
      plait::csv::RowFile rows(path, separator);
      std::vector<plait::csv::Cell> row;
      while (rows.next(row) > 0) {
      }
    } catch (const plait::sdk::Error&) {
    }
  }
  return 0;
}
