#include "card.h"

#include <cstdlib>
#include <set>

using namespace plait::sdk;

namespace plait_cuda {
namespace {

__global__ void nothing() {}

// 13000 is 13.0
std::string version_text(int version) { return text(version / 1000, ".", version % 1000 / 10); }

std::string error_text(cudaError_t status) {
  return text(cudaGetErrorString(status), " (", cudaGetErrorName(status), ")");
}

// As the launchers of ranks say it; 0 where there is none.
int place_on_host() {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"})
    if (const char* said = std::getenv(name)) return std::max(0, std::atoi(said));
  return 0;
}

int count_cards() {
  int cards = 0;
  const cudaError_t status = cudaGetDeviceCount(&cards);
  cudaGetLastError();
  if (status == cudaErrorInsufficientDriver) {
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver), cudaRuntimeGetVersion(&runtime);
    if (driver > 0)
      throw Unsupported("no CUDA device: the driver is for CUDA ", version_text(driver), ", wanted one for ",
                        version_text(runtime), " or newer");
    throw Unsupported("no CUDA device: no driver is found; the runtime reports ", error_text(status));
  }
  if (status != cudaSuccess) throw Unsupported("no CUDA device: driver reports ", error_text(status));
  if (cards == 0) throw Unsupported("no CUDA device: driver reports no card");
  return cards;
}

// A library without code for a card fails with its first kernel: better here, in words.
void check_code(const Card& card) {
  cudaFuncAttributes attributes{};
  const cudaError_t status = cudaFuncGetAttributes(&attributes, nothing);
  if (status == cudaSuccess) return;
  cudaGetLastError();
  throw Unsupported(card.name(), " has compute capability ", card.properties.major, ".",
                    card.properties.minor, ", for which this library holds no code: ", error_text(status),
                    "; wanted CMAKE_CUDA_ARCHITECTURES with it");
}

}  // namespace

Card take_card(int index) {
  const int cards = count_cards();
  if (index >= cards)
    throw Unsupported("no CUDA device of index ", index, ": there ", cards == 1 ? "is" : "are", " ", cards,
                      ", counted from 0");
  Card card;
  card.number = index >= 0 ? index : place_on_host() % cards;
  gpu::check(cudaSetDevice(card.number), "the card");
  gpu::check(cudaGetDeviceProperties(&card.properties, card.number), "the card's properties");
  check_code(card);
  return card;
}

std::string facts() {
  int driver = 0, runtime = 0, cards = 0;
  cudaDriverGetVersion(&driver), cudaRuntimeGetVersion(&runtime);
  std::string lines = text("CUDA runtime: ", version_text(runtime), "\n");
  lines += text("CUDA driver: ", driver > 0 ? "for " + version_text(driver) : std::string("none"), "\n");
  if (cudaGetDeviceCount(&cards) != cudaSuccess) cards = 0;
  cudaGetLastError();
  std::set<std::string> models;
  for (int i = 0; i < cards; ++i) {
    cudaDeviceProp card{};
    if (cudaGetDeviceProperties(&card, i) != cudaSuccess) continue;
    models.insert(text(card.name, ", compute capability ", card.major, ".", card.minor));
  }
  std::string names;
  for (const std::string& model : models) names += (names.empty() ? "" : "; ") + model;
  return lines + text("CUDA cards: ", names.empty() ? "none" : names, "\n");
}

}  // namespace plait_cuda
