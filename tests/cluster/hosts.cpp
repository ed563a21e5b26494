#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mpi.h>
#include <set>
#include <string>
#include <vector>

/// hosts HOSTS: ends with 0 when the ranks lie on that many hosts, each with its own name and
/// shared memory of its own, and a message passes round all of them.
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  constexpr int kNameSize = MPI_MAX_PROCESSOR_NAME;
  std::array<char, kNameSize> name{};
  int length = 0;
  MPI_Get_processor_name(name.data(), &length);
  std::vector<char> names(static_cast<std::size_t>(size) * kNameSize);
  MPI_Allgather(name.data(), kNameSize, MPI_CHAR, names.data(), kNameSize, MPI_CHAR,
                MPI_COMM_WORLD);
  std::set<std::string> hosts;
  int neighbors = 0;
  for (std::size_t at = 0; at < names.size(); at += kNameSize) {
    hosts.insert(&names[at]);
    neighbors += std::strcmp(&names[at], name.data()) == 0 ? 1 : 0;
  }

  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int node_size = 0;
  MPI_Comm_size(node, &node_size);
  MPI_Comm_free(&node);

  // Each rank adds its number to what the one before it sent, in messages too large to be eager.
  std::vector<int> token(1 << 18, 0);
  const int count = static_cast<int>(token.size());
  const int before = (rank + size - 1) % size;
  if (rank > 0) {
    MPI_Recv(token.data(), count, MPI_INT, before, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  for (int& element : token) {
    element += rank;
  }
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Isend(token.data(), count, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD, &request);
  std::vector<int> last(token.size());
  if (rank == 0) {
    MPI_Recv(last.data(), count, MPI_INT, before, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  MPI_Wait(&request, MPI_STATUS_IGNORE);

  const std::size_t expected_hosts = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  const bool sum_is_right =
      rank != 0 || last == std::vector<int>(last.size(), size * (size - 1) / 2);
  const bool passed = hosts.size() == expected_hosts && node_size == neighbors && sum_is_right;
  std::printf("rank %d of %d on %s: %zu hosts, %d ranks on this one, %d share its memory: %s\n",
              rank, size, name.data(), hosts.size(), neighbors, node_size,
              passed ? "as expected" : "NOT as expected");
  MPI_Finalize();
  return passed ? 0 : 1;
}
